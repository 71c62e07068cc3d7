"""What goes wrong through no fault of the code, and is told in a line."""


class UserError(Exception):
    """Something the user can put right. The message is one line: the thing, what it got, what it takes. Exit code 2."""
