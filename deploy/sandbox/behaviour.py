"""Who answers what, and after which mail. Pure: the same seed always casts the same people."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum


class Answer(StrEnum):
    SILENT = "silent"
    REPLY = "reply"
    OUT_OF_OFFICE = "out_of_office"
    BOUNCE = "bounce"
    UNSUBSCRIBE = "unsubscribe"


class Manner(StrEnum):
    """How a person writes a reply."""

    PLAIN = "plain"
    QUOTING = "quoting"
    GERMAN = "german"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Shares of all people, 0 to 1; who is left over stays silent. Seconds are ranges."""

    reply: float = 0.2
    out_of_office: float = 0.1
    bounce: float = 0.08
    unsubscribe: float = 0.07
    last_mail: int = 3
    thinks_seconds: tuple[float, float] = (0.5, 2.5)
    away_seconds: tuple[int, int] = (8, 12)

    def __post_init__(self) -> None:
        shares = {answer.value: self.share_of(answer) for answer in ANSWERING}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name} is {share}: a share lies between 0 and 1")
        if sum(shares.values()) > 1:
            raise ValueError(f"the shares {shares} add up to more than everybody")

    def share_of(self, answer: Answer) -> float:
        return float(getattr(self, answer.value))


# In the order of the fields of Behaviour that are shares.
ANSWERING = tuple(Answer(f.name) for f in fields(Behaviour) if f.name in set(Answer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One lead. Answers once, `thinks_seconds` after mail number `after_mail` (1 is the first).

    `away_seconds` counts from the answer and is how long an out of office says it lasts.
    """

    address: str
    answer: Answer
    after_mail: int
    thinks_seconds: float
    away_seconds: int
    manner: Manner


def cast_people(addresses: Sequence[str], *, seed: int, behaviour: Behaviour) -> dict[str, Person]:
    """Give everybody a role. A kind whose share is not 0 occurs at least once while people last."""
    dice = random.Random(seed)  # noqa: S311 - a play to be repeated, not a secret
    roles = _roles(len(addresses), behaviour)
    dice.shuffle(roles)
    manners = [manner for _ in addresses for manner in Manner]
    people = {}
    for address, role in zip(addresses, roles, strict=True):
        # Replies take turns in their manner, so that a small cast has every one of them.
        manner = manners.pop(0) if role is Answer.REPLY else Manner.PLAIN
        people[address] = _person(address, role, manner, dice, behaviour)
    return people


def _roles(count: int, behaviour: Behaviour) -> list[Answer]:
    roles: list[Answer] = []
    for answer in ANSWERING:
        share = behaviour.share_of(answer)
        roles += [answer] * (max(1, round(share * count)) if share else 0)
    silent = [Answer.SILENT] * max(0, count - len(roles))
    return (roles + silent)[:count]


def _person(
    address: str, answer: Answer, manner: Manner, dice: random.Random, behaviour: Behaviour
) -> Person:
    after = dice.randint(1, behaviour.last_mail)
    # An address that does not exist fails at once, and who is away says so to the first mail.
    is_immediate = answer in {Answer.BOUNCE, Answer.OUT_OF_OFFICE}
    return Person(
        address=address,
        answer=answer,
        after_mail=1 if is_immediate else after,
        thinks_seconds=round(dice.uniform(*behaviour.thinks_seconds), 2),
        away_seconds=dice.randint(*behaviour.away_seconds),
        manner=manner,
    )
