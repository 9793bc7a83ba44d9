"""Tests of CPython that pass outside and not in a sandbox, with the reason."""

ALLOWED = {
}
