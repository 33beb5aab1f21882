#include "numerics/arena.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace kpm {

Arena::~Arena() {
  while (newest_ != nullptr) {
    Header* const older = newest_->older;
    std::free(newest_);
    newest_ = older;
  }
}

std::byte* Arena::take_bytes(std::size_t size) {
  const std::size_t bytes = (size + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes >= kLarge) {
    return add_block(std::calloc(1, sizeof(Header) + bytes));
  }
  if (bytes > left_) {
    block_size_ *= 2;
    next_ = add_block(std::malloc(sizeof(Header) + std::max(bytes, block_size_)));
    left_ = std::max(bytes, block_size_);
  }
  std::byte* const slice = next_;
  next_ += bytes;
  left_ -= bytes;
  std::memset(slice, 0, bytes);
  return slice;
}

/// The memory behind the block's header.
std::byte* Arena::add_block(void* memory) {
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  newest_ = new (memory) Header{newest_};
  return reinterpret_cast<std::byte*>(newest_ + 1);
}

}  // namespace kpm
