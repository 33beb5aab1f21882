// NumPy arrays at the edge of the core: borrowed on the way in, made on the way out.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace kpm {

namespace py = pybind11;

/// An array of the caller's, alive as long as the call. Any other type or layout is refused rather
/// than converted: the caller has validated it, and a hidden copy of a million orders would go
/// unnoticed. py::array_t would do, but makes and drops an empty array for every argument, which
/// takes as long as a tenth of a tiny cell.
template <class T>
class In {
 public:
  static bool fits(py::handle source) {
    if (!py::isinstance<py::array>(source)) {
      return false;
    }
    const auto array = py::reinterpret_borrow<py::array>(source);
    const py::dtype type = array.dtype();
    const char order = type.byteorder();
    return type.kind() == (std::is_floating_point_v<T> ? 'f' : 'i') &&
           type.itemsize() == static_cast<py::ssize_t>(sizeof(T)) &&
           (order == '=' || order == '|') && (array.flags() & kPlain) == kPlain;
  }

  In() = default;
  explicit In(py::handle source) : source_(source) {}

  py::ssize_t shape(py::ssize_t axis) const { return array().shape(axis); }
  py::ssize_t size() const { return array().size(); }
  const T* data() const { return static_cast<const T*>(array().data()); }

 private:
  static constexpr int kPlain =
      py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;

  py::array array() const { return py::reinterpret_borrow<py::array>(source_); }

  py::handle source_;
};

}  // namespace kpm

namespace pybind11::detail {

template <class T>
struct type_caster<kpm::In<T>> {
  PYBIND11_TYPE_CASTER(kpm::In<T>, const_name("numpy.ndarray"));

  bool load(handle source, bool /*convert*/) {
    value = kpm::In<T>(source);
    return kpm::In<T>::fits(source);
  }
};

}  // namespace pybind11::detail

namespace kpm {

/// Results are values: their arrays are read-only.
template <class T>
py::array_t<T> frozen(py::array_t<T> array) {
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

/// Made by NumPy's own function: py::array_t's constructor describes shape and strides in vectors
/// of its own and copies by another array, several times the work for a few numbers, and it takes
/// no notice where there is no memory for that copy.
template <class T>
py::array_t<T> new_array(int axes, const py::ssize_t* shape) {
  const auto& api = py::detail::npy_api::get();
  PyObject* const made =
      api.PyArray_NewFromDescr_(api.PyArray_Type_, py::dtype::of<T>().release().ptr(), axes,
                                const_cast<py::ssize_t*>(shape), nullptr, nullptr, 0, nullptr);
  if (made == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::array_t<T>>(made);
}

/// Copies numbers, on the way in and out, with zeros of one sign: those of either are equal, so
/// that equal inputs have equal bits, and so have their answers. Neither place need be aligned.
template <class T>
void copy_plain(const void* from, py::ssize_t count, T* to) {
  const auto* const bytes = static_cast<const unsigned char*>(from);
  py::ssize_t next = 0;
  const auto copy = [&](auto& few) {  // of a size that compilers know
    std::memcpy(few, bytes + static_cast<std::size_t>(next) * sizeof(T), sizeof few);
    for (T& number : few) {
      number += 0.0;  // -0.0 + 0.0 is 0.0
    }
    std::memcpy(to + next, few, sizeof few);
  };
  if constexpr (std::is_floating_point_v<T>) {
    constexpr py::ssize_t kFew = 4;
    for (T few[kFew]; next + kFew <= count; next += kFew) {
      copy(few);
    }
    for (T one[1]; next < count; ++next) {
      copy(one);
    }
  } else if (count > 0) {
    std::memcpy(to, bytes, static_cast<std::size_t>(count) * sizeof(T));
  }
}

template <class T>
py::array_t<T> to_array(const std::vector<T>& values, int axes, const py::ssize_t* shape) {
  auto array = new_array<T>(axes, shape);
  copy_plain(values.data(), static_cast<py::ssize_t>(values.size()), array.mutable_data());
  return frozen(std::move(array));
}

template <class T>
py::array_t<T> to_array(const std::vector<T>& values) {
  const auto size = static_cast<py::ssize_t>(values.size());
  return to_array(values, 1, &size);
}

}  // namespace kpm
