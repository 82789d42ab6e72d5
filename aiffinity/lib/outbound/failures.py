"""What libcurl's result codes mean to those who send requests."""

import pycurl  # noqa: TID251 - The one home of the HTTP client.

from aiffinity.lib.outbound.errors import (
    ConnectFailed,
    OutboundError,
    OutboundTimeout,
    ProtocolFailed,
    TlsFailed,
)

_CONNECT_CODES = frozenset(
    {
        pycurl.E_COULDNT_RESOLVE_HOST,
        pycurl.E_COULDNT_RESOLVE_PROXY,
        pycurl.E_COULDNT_CONNECT,
        pycurl.E_INTERFACE_FAILED,
    }
)
_TLS_CODES = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_SSL_PINNEDPUBKEYNOTMATCH,
    }
)
_CLOSED_CODES = frozenset({pycurl.E_GOT_NOTHING, pycurl.E_PARTIAL_FILE, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR})


def failure_of(code: int) -> tuple[type[OutboundError], str]:
    """Return the error that a result code of libcurl stands for, and its message, which holds no secret."""
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return OutboundTimeout, "There was no complete answer in time."
    if code in (pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY):
        return ConnectFailed, "The host name does not resolve."
    if code in _CONNECT_CODES:
        return ConnectFailed, "The host does not accept the connection."
    if code in _TLS_CODES:
        return TlsFailed, f"TLS failed: {pycurl.easy_strerror(code)}."
    if code in _CLOSED_CODES:
        return ProtocolFailed, "The connection ended before the answer was whole."
    return ProtocolFailed, f"The answer is not valid HTTP: {pycurl.easy_strerror(code)}."
