"""The gateway as the API's tests have it: these tests call it as a frontend would."""

from tests.api.conftest import *  # noqa: F403 - pytest finds fixtures by their names
