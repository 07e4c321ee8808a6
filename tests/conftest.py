"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # speed is measured by ``make bench``, never asserted
settings.load_profile("untimed")
