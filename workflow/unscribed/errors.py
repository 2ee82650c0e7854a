"""The exception for problems that a user can solve."""


class UserError(Exception):
    """A problem with the user's input or machine; the message names the file or key and the remedy.

    Stages print the message without a traceback and exit with status 1.
    """
