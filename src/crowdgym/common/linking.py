"""Functions that become machine code only as parts of the functions that Python calls.

Numba optimises every compiled function together with all that it calls, and makes machine code of it, before it goes
on to the function that calls it, where the same happens again. With calls ten deep that is most of the time of
compiling. Here a function that is called by compiled code is only translated; the one that Python calls takes in all
translations that it needs, and everything is optimised once.
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from llvmlite.binding import Linkage
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.registry import CPUDispatcher

Options = dict[str, Any]


class Compiled(CPUDispatcher):
    """A function as compiled code calls it; a call from Python goes to a whole that is compiled for it.

    Attributes:
        decorate_whole: makes the whole of the function.
    """

    decorate_whole: Callable[[Callable[..., Any]], Any]

    def __call__(self, *args: Any) -> Any:
        """Call it from Python."""
        return self.whole(*args)

    @property
    def whole(self) -> Any:
        """The function with everything that it calls, as machine code."""
        with _lock:
            if "_whole" not in vars(self):
                self._whole = self.decorate_whole(self.py_func)
            return self._whole


_lock = Lock()


class _PartLibrary(JITCodeLibrary):
    """The translation of a function; neither optimised as a whole nor known to the engine that runs machine code."""

    _linking_libraries: list[Any]
    _shared_module: Any

    def finalize(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0  # there is no machine code to point to

    def _get_module_for_linking(self) -> Any:
        """With all that it calls, for functions that numba compiles in its own way."""
        if self._shared_module is None:
            module = self._final_module.clone()
            _link_called(module, self._linking_libraries)
            self._shared_module = _for_linking(module)
        return self._shared_module

    @property
    def codegen(self) -> Any:
        return _NoEngine


class _NoEngine:
    """In place of the engine: a part has no environment of its own to be told of."""

    @staticmethod
    def set_env(name: str, environment: object) -> None:
        pass


class _WholeLibrary(JITCodeLibrary):
    """A function and the parts that it is made of."""

    _linking_libraries: list[Any]

    def finalize(self) -> None:
        _link_called(self._final_module, self._linking_libraries)
        self._linking_libraries = []
        super().finalize()


def _link_called(module: Any, libraries: Iterable[Any]) -> None:
    """Take into ``module`` what it calls of the libraries, and of those that they call."""
    # Linking drops what is not called by anything that is there already.
    for library in _callers_first(libraries):
        if isinstance(library, _PartLibrary):
            module.link_in(_for_linking(library._final_module.clone()))
        else:
            module.link_in(library._get_module_for_linking(), preserve=True)


def _for_linking(module: Any) -> Any:
    """Let the functions of a module be defined in several modules that are linked, and dropped where not called."""
    for function in module.functions:
        if not function.is_declaration and function.linkage == Linkage.external:
            function.linkage = "linkonce_odr"
    return module


def _callers_first(libraries: Iterable[Any]) -> list[Any]:
    """The libraries and, for parts, those that they call and so on; each before those that it calls."""
    called_first: dict[Any, None] = {}

    def visit(library: Any) -> None:
        if library not in called_first:
            for called in library._linking_libraries if isinstance(library, _PartLibrary) else ():
                visit(called)
            called_first[library] = None

    for library in libraries:
        visit(library)
    return list(reversed(called_first))


class _PartCompiler(Compiler):
    library = _PartLibrary

    def compile_extra(self, function: Callable[..., Any]) -> Any:
        self.state.library = self.library(self.state.targetctx.codegen(), function.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(function)


class _WholeCompiler(_PartCompiler):
    library = _WholeLibrary


PART: Options = {"pipeline_class": _PartCompiler, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
WHOLE: Options = {"pipeline_class": _WholeCompiler, "no_cfunc_wrapper": True}


def parts_of(function: Callable[..., Any]) -> set[Any]:
    """All compiled functions that a function calls by their names, and those that they call."""
    found: set[Any] = set()
    waiting = [function]
    while waiting:
        here = waiting.pop()
        for name in here.__code__.co_names:
            called = here.__globals__.get(name)
            if isinstance(called, Compiled) and called not in found:
                found.add(called)
                waiting.append(called.py_func)
    return found
