"""Seeded generator of synthetic ledgers. Every person, account and place in its output is invented.

``python -m generator --help`` (with ``sample_data`` on PYTHONPATH) or ``python sample_data/generate.py --help``.
"""
