"""The `backtalk` command: each subcommand lives in its own file and is imported only when it is run."""

from __future__ import annotations

import importlib
import os

import click

# The matrices here are small: a second BLAS thread waits more than it works, and on a busy device it costs ten times the time. Must
# be set before numpy is first imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

COMMANDS = {
    "listen": "voice.commands.listen",
    "ask": "voice.commands.ask",
    "setup": "voice.commands.setup",
    "doctor": "voice.commands.doctor",
    "evaluate": "voice.commands.evaluate",
    "record": "voice.commands.record",
    "examples": "voice.commands.examples",
    "pack": "voice.commands.pack",
    "service": "voice.commands.service",
    "serve": "voice.commands.serve",
    "fleet": "voice.commands.fleet",
}
"""Subcommand → module with a click command named `command`."""


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it is asked for: `backtalk ask` must not pay for `evaluate`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="backtalk")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Ask about a condition of the spine, by voice. Without a subcommand: listen and answer, hands-free."""
    if ctx.invoked_subcommand is None:
        command = main.get_command(ctx, "listen")
        assert command is not None
        ctx.invoke(command)


if __name__ == "__main__":
    main()
