// The working memory of a solver in a few blocks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

#include "numerics/dense.hpp"

namespace kpm {

/// An array or a matrix in an Arena.
using Slice = Eigen::Map<Array>;
using MatrixSlice = Eigen::Map<Matrix>;

/// A few records in a row, in memory owned elsewhere.
template <class T>
class Span {
 public:
  Span() = default;
  Span(T* begin, Eigen::Index size) : begin_(begin), size_(size) {}

  Eigen::Index size() const { return size_; }
  T& operator[](Eigen::Index at) { return begin_[at]; }
  const T& operator[](Eigen::Index at) const { return begin_[at]; }
  T* begin() { return begin_; }
  T* end() { return begin_ + size_; }
  const T* begin() const { return begin_; }
  const T* end() const { return begin_ + size_; }

 private:
  T* begin_ = nullptr;
  Eigen::Index size_ = 0;
};

/// A row-major matrix of records or numbers, in memory owned elsewhere.
template <class T>
class Grid {
 public:
  Grid() = default;
  Grid(T* begin, Eigen::Index rows, Eigen::Index columns)
      : begin_(begin), rows_(rows), columns_(columns) {}

  Eigen::Index columns() const { return columns_; }
  T& operator()(Eigen::Index row, Eigen::Index column) { return begin_[row * columns_ + column]; }
  const T& operator()(Eigen::Index row, Eigen::Index column) const {
    return begin_[row * columns_ + column];
  }

 private:
  T* begin_ = nullptr;
  Eigen::Index rows_ = 0;
  Eigen::Index columns_ = 0;
};

/// Hands out zeroed slices of a few blocks and takes none back. On a tiny cell dozens of small
/// allocations would take as long as the solution; the first block is part of the arena, so that
/// such a cell needs none. A large slice is a block of its own, of pages that the system zeroes
/// when they are first written to: a solver of a large market that is made and
/// never used, because time is up, costs nothing.
class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  template <class T>
  Span<T> span(Eigen::Index size) {
    return {take<T>(size), size};
  }
  Slice array(Eigen::Index size) { return {take<double>(size), size}; }
  template <class T>
  Grid<T> grid(Eigen::Index rows, Eigen::Index columns) {
    return {take<T>(rows * columns), rows, columns};
  }
  MatrixSlice matrix(Eigen::Index rows, Eigen::Index columns) {
    return {take<double>(rows * columns), rows, columns};
  }

 private:
  static constexpr std::size_t kAlignment = 16;
  static constexpr std::size_t kFirstBlock = 12 * 1024;  // bytes: five claims on as many states
  static constexpr std::size_t kLarge = 256 * 1024;      // bytes of a slice
  static constexpr std::size_t kAhead = 1024;            // bytes that are zeroed together

  struct alignas(kAlignment) Header {
    Header* older;
  };

  template <class T>
  T* take(Eigen::Index count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlignment);
    auto* const objects =
        reinterpret_cast<T*>(take_bytes(static_cast<std::size_t>(count) * sizeof(T)));
    std::uninitialized_default_construct_n(objects, count);
    return objects;
  }

  std::byte* take_bytes(std::size_t size);
  std::byte* take_more(std::size_t bytes);
  std::byte* add_block(void* memory);

  alignas(kAlignment) std::byte first_[kFirstBlock];
  std::byte* next_ = first_;
  std::size_t zeroed_ = 0;  // bytes from there on
  std::size_t left_ = kFirstBlock;
  std::size_t block_size_ = kFirstBlock;
  Header* newest_ = nullptr;
};

}  // namespace kpm
