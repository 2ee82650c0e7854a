"""The one exception for mistakes a user can make and mend."""


class UserError(Exception):
    """A problem with the user's input; the message names the file or key and the remedy.

    Stages print the message without a traceback and exit with status 1.
    """
