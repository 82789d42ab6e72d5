"""A provider must not hand on the secrets of a call: an answer that holds one is refused (spec 6 "redaction").

Such an answer is refused as a breach of contract, and not mended by cutting the secret out: a text that was changed
here and there would pass as the provider's, and nobody would learn of the leak. The caller gets the last good answer
or an error, the call's record names the member, and the value reaches neither the user nor what is kept.
"""

from collections.abc import Iterable

from aiffinity.lib.crypto import Secret
from aiffinity.lib.envelope import dump_json
from aiffinity.lib.errors import Detail, UpstreamInvalidResponse
from aiffinity.lib.redaction import LEAST_VALUE_LENGTH
from runtime.provider_answers import ExecuteAnswer

MESSAGE = "The provider's answer holds a secret of the call."


def refuse_echo(answer: ExecuteAnswer, secrets: Iterable[Secret]) -> None:
    """Raise UpstreamInvalidResponse where `data` or `nextCursor` holds a secret's value.

    The rest of an answer is handed on to nobody, but for the error, which is redacted. Values of fewer than 8
    characters are not looked for: they turn up in answers by chance.
    """
    values = [value for secret in secrets if len(value := secret.reveal()) >= LEAST_VALUE_LENGTH]
    if not values:
        return
    needles = [dump_json(value)[1:-1] for value in values]
    members = {"data": answer.data, "nextCursor": answer.next_cursor}
    found = [name for name, content in members.items() if content and _holds(dump_json(content), needles)]
    if found:
        raise UpstreamInvalidResponse(MESSAGE, details=[Detail(name, "secret_echoed", MESSAGE) for name in found])


def _holds(text: bytes, needles: list[bytes]) -> bool:
    return any(needle in text for needle in needles)
