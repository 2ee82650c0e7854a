from helpers.finished_run import finished  # noqa: F401
from helpers.report_inputs import evaluated  # noqa: F401
