"""agdoctor: the doctor for clients of the Antigravity Tools proxy."""

__version__ = "0.1.0"
