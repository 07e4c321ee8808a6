"""jiuzhu: a district bureau's monthly social-assistance desk (社会救助)."""

__version__ = "0.1.0"
