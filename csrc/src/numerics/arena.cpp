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
  if (bytes > zeroed_) {
    return take_more(bytes);
  }
  std::byte* const slice = next_;
  next_ += bytes;
  left_ -= bytes;
  zeroed_ -= bytes;
  return slice;
}

/// Where not as many bytes are zeroed yet. Most slices are a few numbers: a call to zero each would
/// take longer than what is zeroed in vain.
std::byte* Arena::take_more(std::size_t bytes) {
  if (bytes >= kLarge) {
    return add_block(std::calloc(1, sizeof(Header) + bytes));
  }
  if (bytes > left_) {
    const std::size_t size = std::max(bytes, 2 * block_size_);
    next_ = add_block(std::malloc(sizeof(Header) + size));
    block_size_ *= 2;
    left_ = size;
    zeroed_ = 0;
  }
  const std::size_t wanted = std::min(std::max(bytes, kAhead), left_);
  std::memset(next_ + zeroed_, 0, wanted - zeroed_);
  std::byte* const slice = next_;
  next_ += bytes;
  left_ -= bytes;
  zeroed_ = wanted - bytes;
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
