"""The sandbox's Bland, under the name that tests know it by."""

from deploy.sandbox.bland import FakeBland
from deploy.sandbox.phone_people import Pickup

__all__ = ["FakeBland", "Pickup"]
