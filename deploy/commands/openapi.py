"""`drumbeat openapi`: what the gateway answers, for generators of clients."""

import json

import typer

from api.main import openapi_document


def run() -> None:
    """Print the OpenAPI document. It needs no database and no setting.

    Example: drumbeat openapi > openapi.json
    """
    typer.echo(json.dumps(openapi_document(), indent=2))
