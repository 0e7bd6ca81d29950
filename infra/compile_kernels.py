"""Compile all kernels into numba's cache, so that first start, file and box needn't wait; takes 25 s.

python -m infra.compile_kernels
"""

from loader.formats.text.kernels import compile_kernels as compile_text_kernels
from shared.warm_up import compile_kernels


def main() -> None:
    """Compile what is not cached yet."""
    compile_text_kernels()
    compile_kernels()


if __name__ == "__main__":
    main()
