// The storage of arrays: room for new entries is allocated before the old are freed.
#pragma once

#include <Eigen/Core>

namespace kpm {

/// Eigen frees the entries of an array that gets another size, then allocates. If there is no
/// memory it throws, and the array, which still points to what was freed, frees it again. Here an
/// array that cannot be resized is as it was.
template <class Storage>
class AllocatesFirst : public Storage {
 public:
  using Storage::Storage;

  void resize(Eigen::Index size, Eigen::Index rows, Eigen::Index columns) {
    if (size == this->rows() * this->cols()) {
      Storage::resize(size, rows, columns);
      return;
    }
    Storage other(size, rows, columns);
    Storage::swap(other);
  }
};

/// An option that Eigen does not have: with it a storage is Eigen's own.
constexpr int kEigens = 4;

template <class T, int kRows, int kColumns, int kOptions>
using DynamicStorage =
    AllocatesFirst<Eigen::DenseStorage<T, Eigen::Dynamic, kRows, kColumns, kOptions | kEigens>>;

}  // namespace kpm

// Those of all of Eigen's containers whose size is known at run time, so that it holds within its
// decompositions, too. In memory they look like Eigen's, so that a program with Eigen as it comes
// may link the static library; but of functions that both have, its linker keeps one. What is said
// above holds in the extension and in the shared library, which export nothing of Eigen.
namespace Eigen {

template <class T>
class DenseStorage<T, Dynamic, Dynamic, 1, ColMajor>
    : public kpm::DynamicStorage<T, Dynamic, 1, ColMajor> {
  using Base = kpm::DynamicStorage<T, Dynamic, 1, ColMajor>;
  using Base::Base;
};

template <class T>
class DenseStorage<T, Dynamic, 1, Dynamic, RowMajor>
    : public kpm::DynamicStorage<T, 1, Dynamic, RowMajor> {
  using Base = kpm::DynamicStorage<T, 1, Dynamic, RowMajor>;
  using Base::Base;
};

template <class T>
class DenseStorage<T, Dynamic, Dynamic, Dynamic, ColMajor>
    : public kpm::DynamicStorage<T, Dynamic, Dynamic, ColMajor> {
  using Base = kpm::DynamicStorage<T, Dynamic, Dynamic, ColMajor>;
  using Base::Base;
};

template <class T>
class DenseStorage<T, Dynamic, Dynamic, Dynamic, RowMajor>
    : public kpm::DynamicStorage<T, Dynamic, Dynamic, RowMajor> {
  using Base = kpm::DynamicStorage<T, Dynamic, Dynamic, RowMajor>;
  using Base::Base;
};

}  // namespace Eigen
