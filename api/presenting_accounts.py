"""An account in the words that people read."""

from api.schemas.accounts import AccountAnswer
from api.services.accounts import CountedAccount

_OWN = AccountAnswer.model_fields.keys() - {"sent_today"}


def account_answer(account: CountedAccount) -> AccountAnswer:
    values = {name: getattr(account.row, name) for name in _OWN}
    return AccountAnswer(**values, sent_today=account.sent_today)
