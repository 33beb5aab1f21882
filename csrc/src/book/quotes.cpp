#include "book/quotes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace kpm {

namespace {

/// An object, not a function: a call for each comparison takes as long as the comparison.
constexpr auto precedes = [](const Quote& a, const Quote& b) {
  return a.price != b.price ? a.price < b.price : a.quantity < b.quantity;
};

constexpr int kDigitBits = 9;  // the counts of more values per digit would leave the first cache
constexpr int kLowBits = 28;   // not sorted by digits: prices that close are left to comparison
constexpr int kDigits = 4;     // of the remaining 36 bits, sign and exponent included
constexpr std::size_t kValues = std::size_t{1} << kDigitBits;
constexpr std::ptrdiff_t kSmall = 1024;  // fewer quotes are sorted by comparison
constexpr int kRuns = 4;                 // so few, ascending or descending, are put in a row

/// An integer that sorts like the price.
std::uint64_t sort_key(double price) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &price, sizeof bits);
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

std::size_t digit_of(std::uint64_t key, int digit) {
  return static_cast<std::size_t>(key >> (kLowBits + digit * kDigitBits)) & (kValues - 1);
}

/// Radix sort by the leading bits of the price, least significant digit first; quotes that agree in
/// those, of one price mostly, are then sorted by comparison. On a million orders several times as
/// fast as std::sort alone, which took most of such a clearing.
void radix_sort(Quote* begin, std::size_t size, std::vector<Quote>& scratch) {
  std::vector<std::array<std::size_t, kValues>> counts(kDigits);
  for (auto& count : counts) {
    count.fill(0);
  }
  for (std::size_t j = 0; j < size; ++j) {
    const std::uint64_t key = sort_key(begin[j].price);
    for (int digit = 0; digit < kDigits; ++digit) {
      ++counts[static_cast<std::size_t>(digit)][digit_of(key, digit)];
    }
  }
  scratch.resize(std::max(scratch.size(), size));
  Quote* from = begin;
  Quote* to = scratch.data();
  for (int digit = 0; digit < kDigits; ++digit) {
    auto& count = counts[static_cast<std::size_t>(digit)];
    if (count[digit_of(sort_key(from[0].price), digit)] == size) {
      continue;  // the same digit in every key
    }
    std::size_t sum = 0;
    for (std::size_t& entry : count) {
      const std::size_t here = entry;
      entry = sum;
      sum += here;
    }
    for (std::size_t j = 0; j < size; ++j) {
      to[count[digit_of(sort_key(from[j].price), digit)]++] = from[j];
    }
    std::swap(from, to);
  }
  if (from != begin) {
    std::copy(from, from + size, begin);
  }
  for (std::size_t j = 0; j < size;) {
    std::size_t end = j + 1;
    const std::uint64_t leading = sort_key(begin[j].price) >> kLowBits;
    while (end < size && sort_key(begin[end].price) >> kLowBits == leading) {
      ++end;
    }
    if (end - j > 1) {
      std::sort(begin + j, begin + end, precedes);
    }
    j = end;
  }
}

/// Where the run of ascending or descending quotes that begins here ends. It ascends afterwards.
Quote* end_of_run(Quote* begin, Quote* end) {
  Quote* next = begin + 1;
  if (next == end) {
    return end;
  }
  const bool descends = precedes(*next, *begin);
  while (next != end && precedes(*next, next[-1]) == descends) {
    ++next;
  }
  if (descends) {
    std::reverse(begin, next);
  }
  return next;
}

/// A book is mostly listed by ladders, one a side, which need only be put one after the other.
/// Returns whether the quotes are in order now: not if there are many runs, or they overlap.
bool put_runs_in_order(Quote* begin, Quote* end) {
  Quote* sorted = begin;  // so far
  for (int runs = 0; sorted != end; ++runs) {
    if (runs == kRuns) {
      return false;
    }
    Quote* const next = end_of_run(sorted, end);
    if (sorted != begin && precedes(*sorted, sorted[-1])) {
      if (precedes(*begin, next[-1])) {
        return false;
      }
      std::rotate(begin, sorted, next);
    }
    sorted = next;
  }
  return true;
}

}  // namespace

Quotes::Quotes(const Market& market, const Orders& orders)
    : first(static_cast<std::size_t>(market.claims) + 1, 0) {
  for (std::int64_t j = 0; j < orders.count; ++j) {
    first[static_cast<std::size_t>(orders.claim[j]) + 1] += orders.quantity[j] > 0.0 ? 1 : 0;
  }
  for (std::size_t k = 1; k < first.size(); ++k) {
    first[k] += first[k - 1];
  }
  quotes.resize(static_cast<std::size_t>(first.back()));
  std::vector<std::ptrdiff_t> next(first);
  for (std::int64_t j = 0; j < orders.count; ++j) {
    if (orders.quantity[j] > 0.0) {
      // Adding zero turns a limit of -0.0 into 0.0.
      quotes[static_cast<std::size_t>(next[static_cast<std::size_t>(orders.claim[j])]++)] = {
          orders.price[j] + 0.0, orders.side[j] > 0 ? orders.quantity[j] : -orders.quantity[j]};
    }
  }
  std::vector<Quote> scratch;
  for (std::size_t k = 0; k + 1 < first.size(); ++k) {
    Quote* const begin = quotes.data() + first[k];
    Quote* const end = quotes.data() + first[k + 1];
    if (put_runs_in_order(begin, end)) {
      continue;
    }
    if (end - begin < kSmall) {
      std::sort(begin, end, precedes);
    } else {
      radix_sort(begin, static_cast<std::size_t>(end - begin), scratch);
    }
  }
}

}  // namespace kpm
