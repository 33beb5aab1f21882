// Arrays of plain numbers that may be large.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace kpm {

/// Memory of at least so many bytes is large: what is given back is kept for the next array of its
/// size. The first touch of a fresh page of 4 KB takes as long as to sort what fits in there.
constexpr std::size_t kLarge = std::size_t{1} << 17;
/// Bytes that the process keeps at most: those of a million orders with as many limits.
constexpr std::size_t kMostKept = std::size_t{1} << 27;

void* take_large(std::size_t bytes);
void give_back_large(void* memory, std::size_t bytes) noexcept;
/// Bytes that the process keeps now.
std::size_t kept_memory() noexcept;

/// Ask the system for pages of 2 MB where this memory lies, as NumPy asks, if much of one fits in.
void ask_for_large_pages(void* memory, std::size_t bytes) noexcept;

/// Whether this thread's large memory is another kind: not where a caller provides all memory.
void allow_large_memory(bool allowed) noexcept;

/// Entries are left as they are until they are written; builds that look for faults make them NaN.
template <class T>
class LargeAllocator : public std::allocator<T> {
 public:
  template <class Other>
  struct rebind {  // NOLINT(readability-identifier-naming): the standard library's names
    using other = LargeAllocator<Other>;
  };

  T* allocate(std::size_t count) {
    return count < kLarge / sizeof(T) ? std::allocator<T>::allocate(count)
                                      : static_cast<T*>(take_large(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (count < kLarge / sizeof(T)) {
      std::allocator<T>::deallocate(memory, count);
    } else {
      give_back_large(memory, count * sizeof(T));
    }
  }

  void construct([[maybe_unused]] T* entry) {
#ifdef EIGEN_INITIALIZE_MATRICES_BY_NAN
    std::memset(entry, 0xff, sizeof(T));  // as Eigen's arrays are, so that a test sees what is not
#endif
  }
  template <class... Values>
  void construct(T* entry, Values&&... values) {
    ::new (static_cast<void*>(entry)) T{std::forward<Values>(values)...};
  }
};

template <class T>
using LargeArray = std::vector<T, LargeAllocator<T>>;

/// For an array that leaves this code.
inline std::vector<double> zeros(std::size_t count) {
  std::vector<double> result;
  result.reserve(count);
  ask_for_large_pages(result.data(), count * sizeof(double));
  result.resize(count);
  return result;
}

}  // namespace kpm
