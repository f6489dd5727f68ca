"""Asynchronous tests run on asyncio; members with certificates."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
