"""Who gives an order at the terminal: whom the audit names."""

import os
import pwd

import click

from pisis_batch import service


def _said(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """A login as given, else this system's user, which no environment can feign; `sistema:` tells them apart."""
    if value is None:
        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # a container may run under a number without a name
            name = str(os.getuid())
        return f"sistema:{name}"
    try:
        return service.clean_login(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from None


ACTOR = click.option(
    "--by",
    "actor",
    envvar="PISIS_ACTOR",
    callback=_said,
    help="Usuario de quien lo ordena (CC10000001), para la auditoría; sin él, el del sistema operativo.",
)
