"""The sandbox's Unipile, under the name that tests know it by."""

from deploy.sandbox.unipile import FakeUnipile

__all__ = ["FakeUnipile"]
