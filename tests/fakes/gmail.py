"""The small Gmail that misbehaves when told to: the sandbox's, under the name that tests know."""

from deploy.sandbox.faulty_gmail import FakeGmail, FakeTokens, Fault, Problem, http_of

__all__ = ["FakeGmail", "FakeTokens", "Fault", "Problem", "http_of"]
