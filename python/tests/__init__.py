"""Tests of the Python bindings: `python3 -m unittest discover -t . -s tests` in this folder's parent."""
