#include "book/quotes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "numerics/extremes.hpp"

namespace kpm {

namespace {

/// An object, not a function: a call for each comparison takes as long as the comparison.
constexpr auto precedes = [](const Quote& a, const Quote& b) {
  return a.price != b.price ? a.price < b.price : a.quantity < b.quantity;
};

constexpr int kDigits = 2;      // of a key, that one call sorts by
constexpr int kFineBits = 11;   // of a digit: counts that fit into the first cache
constexpr int kCoarseBits = 8;  // of few quotes, fewer than
constexpr std::size_t kMany = std::size_t{1} << 15;
constexpr std::ptrdiff_t kSmall = 256;  // fewer quotes are sorted by comparison
constexpr int kRuns = 4;                // so few, ascending or descending, are put in a row

/// An integer that sorts like the number.
std::uint64_t sort_key(double number) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  constexpr std::uint64_t sign = std::uint64_t{1} << 63;
  return bits ^ ((std::uint64_t{0} - (bits >> 63)) | sign);
}

/// The leading bits, in the range of some numbers, of the key of one of them.
class LeadingBits {
 public:
  /// Of the figures of some quotes.
  LeadingBits(const Quote* begin, const Quote* end, double Quote::* figure) : figure_(figure) {
    std::uint64_t most = 0;
    for (const Quote* quote = begin; quote != end; ++quote) {
      const std::uint64_t key = sort_key(quote->*figure);
      least_ = std::min(least_, key);
      most = std::max(most, key);
    }
    range_ = most - least_;
    digit_bits_ = static_cast<std::size_t>(end - begin) < kMany ? kCoarseBits : kFineBits;
    while (range_ >> shift_ >> (kDigits * digit_bits_) != 0) {
      ++shift_;
    }
  }

  bool all_alike() const { return range_ == 0; }
  bool within(const Extremes& numbers) const {
    return least_ >= sort_key(numbers.least) && least_ + range_ <= sort_key(numbers.greatest);
  }
  std::size_t values() const { return std::size_t{1} << digit_bits_; }  // of a digit

  std::size_t operator()(const Quote& quote) const {
    return static_cast<std::size_t>((sort_key(quote.*figure_) - least_) >> shift_);
  }
  std::size_t digit(const Quote& quote, int place) const {
    return (*this)(quote) >> (place * digit_bits_) & (values() - 1);
  }

 private:
  double Quote::* figure_;
  std::uint64_t least_ = ~std::uint64_t{0};
  std::uint64_t range_ = 0;
  int shift_ = 0;
  int digit_bits_;
};

void sort(Quote* begin, Quote* end, Quote* scratch);

/// By the leading bits, least significant digit first.
void sort_by_digits(Quote* begin, Quote* end, const LeadingBits& leading, Quote* scratch) {
  std::array<std::array<std::size_t, std::size_t{1} << kFineBits>, kDigits> places;
  for (auto& digit : places) {
    std::fill_n(digit.begin(), leading.values(), std::size_t{0});
  }
  for (const Quote* quote = begin; quote != end; ++quote) {
    ++places[0][leading.digit(*quote, 0)];
    ++places[1][leading.digit(*quote, 1)];
  }
  for (auto& digit : places) {
    std::size_t sum = 0;
    for (std::size_t value = 0; value < leading.values(); ++value) {
      sum += std::exchange(digit[value], sum);
    }
  }
  const std::ptrdiff_t size = end - begin;
  for (const Quote* quote = begin; quote != end; ++quote) {
    scratch[places[0][leading.digit(*quote, 0)]++] = *quote;
  }
  for (const Quote* quote = scratch; quote != scratch + size; ++quote) {
    begin[places[1][leading.digit(*quote, 1)]++] = *quote;
  }
}

/// By the leading bits, then those that agree in them, mostly few, for themselves.
void sort_by(const LeadingBits& leading, Quote* begin, Quote* end, Quote* scratch) {
  sort_by_digits(begin, end, leading, scratch);
  for (Quote* first = begin; first != end;) {
    const std::size_t bits = leading(*first);
    Quote* last = first + 1;
    while (last != end && leading(*last) == bits) {
      ++last;
    }
    if (last - first > 1) {
      sort(first, last, scratch);
    }
    first = last;
  }
}

/// Radix sort of many quotes: by price, and of one price by quantity. Of a million orders several
/// times as fast as std::sort, which took most of such a clearing.
void sort(Quote* begin, Quote* end, Quote* scratch) {
  if (end - begin < kSmall) {
    std::sort(begin, end, precedes);
    return;
  }
  const LeadingBits by_price(begin, end, &Quote::price);
  if (!by_price.all_alike()) {
    sort_by(by_price, begin, end, scratch);
    return;
  }
  const LeadingBits by_quantity(begin, end, &Quote::quantity);
  if (!by_quantity.all_alike()) {
    sort_by(by_quantity, begin, end, scratch);
  }
}

/// The same for all quotes of a claim with these payoffs. A limit beyond them, as of a market
/// order, would leave few leading bits for the others.
void sort_claim(Quote* begin, Quote* end, const Extremes& payoffs, Quote* scratch) {
  const LeadingBits by_price(begin, end, &Quote::price);
  if (by_price.within(payoffs)) {
    sort_by(by_price, begin, end, scratch);
    return;
  }
  Quote* const least =
      std::partition(begin, end, [&](const Quote& quote) { return quote.price < payoffs.least; });
  Quote* const above = std::partition(
      least, end, [&](const Quote& quote) { return quote.price <= payoffs.greatest; });
  sort(begin, least, scratch);
  sort(least, above, scratch);
  sort(above, end, scratch);
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
          orders.price[j] + 0.0, static_cast<double>(orders.side[j]) * orders.quantity[j]};
    }
  }
  LargeArray<Quote> scratch;
  for (std::size_t k = 0; k + 1 < first.size(); ++k) {
    Quote* const begin = quotes.data() + first[k];
    Quote* const end = quotes.data() + first[k + 1];
    if (put_runs_in_order(begin, end)) {
      continue;
    }
    if (end - begin < kSmall) {
      sort(begin, end, scratch.data());
      continue;
    }
    scratch.resize(std::max(scratch.size(), static_cast<std::size_t>(end - begin)));
    const double* const payoffs = market.payoffs + static_cast<std::ptrdiff_t>(k) * market.states;
    sort_claim(begin, end, extremes_of(payoffs, market.states), scratch.data());
  }
}

}  // namespace kpm
