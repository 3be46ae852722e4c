"""The machinery of `python docs/build.py`: runs what the pages show, and writes the generated pages."""
