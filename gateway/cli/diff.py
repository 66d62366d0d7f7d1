"""`ucs-gateway diff`: what everybody gains and loses when one policy takes the place of another."""

from pathlib import Path

import click

from gateway.cli.difference_report import report_of
from gateway.cli.difference_text import lines_of
from gateway.cli.output import Exit, config_option, format_option, near, show_json
from gateway.cli.policies import policy_at, settings_at
from policy.analysis import difference

__all__ = ["command"]

_policy = click.Path(exists=True, path_type=Path)


@click.command("diff")
@click.argument("old", type=_policy)
@click.argument("new", type=_policy)
@config_option
@click.option(
    "--fail-on-grant",
    is_flag=True,
    help="Exit with 2 only if somebody gains or could gain, and not for other differences.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many of a kind the text shows; JSON holds everything.",
)
@format_option
def command(
    old: Path, new: Path, config: Path, fail_on_grant: bool, limit: int, format_: str
) -> int:
    """Tell what each role and caller gains and loses from OLD to NEW, gains first.

    OLD and NEW are each a settings file or a folder of policy files; a folder is read with the
    services of --config. Every request and everybody is compared, not samples. Exits with 2 when
    the policies differ.
    """
    # A settings file brings its own services; those of --config are for folders.
    needed = config if old.is_dir() or new.is_dir() else new
    settings = settings_at(needed)
    before, after = policy_at(old, settings), policy_at(new, settings)
    found = difference(before, after)
    if format_ == "json":
        show_json(report_of(found))
    else:
        click.echo(near("\n".join(lines_of(found, limit))))
    different = found.grants if fail_on_grant else bool(found)
    return Exit.DENIED_OR_DIFFERENT if different else Exit.YES
