"""Image-text matching: model packs, matching, libraries. No user interface lives here."""

__version__ = "0.1.0"
