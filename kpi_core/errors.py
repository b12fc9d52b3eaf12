"""The one error of the core: what is wrong with which thing, and what to do.

    raise KpiError("cycle", "{path} depends on itself; remove one of these links.", path="a → b → a")

`code` never changes once released, `message` is an English sentence with named blanks,
`facts` fill the blanks. The app translates the sentence; nothing here knows a language.
"""

from __future__ import annotations


class KpiError(Exception):
    """A sentence a person can act on.

    >>> str(KpiError("unknown_metric", "There is no metric {metric}.", metric="lead"))
    'There is no metric lead.'
    """

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(code, message, facts)
        self.code = code
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return self.message.format(**self.facts)

    def about(self, **facts: object) -> KpiError:
        """Return the same error with more facts: which metric, which field of the plan."""
        return KpiError(self.code, self.message, **{**self.facts, **facts})
