"""Random examples have no deadline: machines are noisy, and timings live in `make bench`. Plans are kept elsewhere."""

import os
import tempfile

from hypothesis import HealthCheck, settings

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
if "GYAKUSAN_DATA" not in os.environ or "PYTEST_XDIST_WORKER" in os.environ:  # each worker has its own
    os.environ["GYAKUSAN_DATA"] = tempfile.mkdtemp(prefix="gyakusan-tests-")
