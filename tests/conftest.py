"""What all tests share: examples of hypothesis are the same in every run and are not timed."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
