"""Array types that kernels, index and questions share."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


Words = npt.NDArray[np.uint64]


Flags = npt.NDArray[np.bool_]
