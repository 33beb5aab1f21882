// The index from ids to orders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kpm {

/// Bits that all depend on all bits of x: the finaliser of splitmix64.
inline std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

/// A hash table with linear probing, at most half full. Removal shifts later entries back over the
/// gap, so that time does not depend on past removals.
class OrderIndex {
 public:
  static constexpr std::int32_t kNone = -1;

  /// The memory that so many ids take.
  static constexpr std::uint64_t bytes(std::uint64_t ids) {
    return places_for(ids) * sizeof(Entry);
  }

  /// Make room for so many ids.
  void reserve(std::size_t ids) {
    const std::size_t places = places_for(ids);
    if (places <= entries_.size()) {
      return;
    }
    std::vector<Entry> old(places);
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.slot != kNone) {
        entries_[place_of(entry.id)] = entry;
      }
    }
  }

  std::size_t size() const { return size_; }

  /// Where a search for an id begins: for it to be in the cache when it does.
  const void* begin_of(std::int64_t id) const {
    return entries_.empty() ? nullptr : &entries_[home_of(id)];
  }

  std::int32_t find(std::int64_t id) const {
    return entries_.empty() ? kNone : entries_[place_of(id)].slot;
  }

  /// An id that is not in it; there is room.
  void insert(std::int64_t id, std::int32_t slot) {
    entries_[place_of(id)] = {id, slot};
    ++size_;
  }

  /// An id that is in it.
  void erase(std::int64_t id) {
    const std::size_t mask = entries_.size() - 1;
    std::size_t gap = place_of(id);
    for (std::size_t at = (gap + 1) & mask; entries_[at].slot != kNone; at = (at + 1) & mask) {
      const std::size_t home = home_of(entries_[at].id);
      if (((at - home) & mask) >= ((at - gap) & mask)) {  // its way from home leads over the gap
        entries_[gap] = entries_[at];
        gap = at;
      }
    }
    entries_[gap] = {};
    --size_;
  }

  void clear() {
    entries_.assign(entries_.size(), {});
    size_ = 0;
  }

 private:
  struct Entry {
    std::int64_t id = 0;
    std::int32_t slot = kNone;
  };

  template <class Size>
  static constexpr Size places_for(Size ids) {
    Size places = 16;
    while (places < 2 * ids) {
      places *= 2;
    }
    return places;
  }

  std::size_t home_of(std::int64_t id) const {
    return static_cast<std::size_t>(mixed(static_cast<std::uint64_t>(id))) & (entries_.size() - 1);
  }

  /// Where the id is, or would be.
  std::size_t place_of(std::int64_t id) const {
    const std::size_t mask = entries_.size() - 1;
    std::size_t at = home_of(id);
    while (entries_[at].slot != kNone && entries_[at].id != id) {
      at = (at + 1) & mask;
    }
    return at;
  }

  std::vector<Entry> entries_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace kpm
