"""Google's client for Gmail, which builds our requests and reads their answers."""

from functools import lru_cache

from googleapiclient.discovery import build


class GmailApi:
    """Google's resources. They only build requests; making one takes 1 ms, so they are kept."""

    def __init__(self, endpoint: str) -> None:
        options = {"api_endpoint": endpoint}
        service = build("gmail", "v1", http=object(), static_discovery=True, client_options=options)
        self.users = service.users()
        self.drafts = self.users.drafts()
        self.messages = self.users.messages()
        self.threads = self.users.threads()
        self.history = self.users.history()


@lru_cache(maxsize=8)
def gmail_api(endpoint: str) -> GmailApi:
    return GmailApi(endpoint)
