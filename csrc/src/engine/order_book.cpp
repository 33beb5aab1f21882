#include "engine/order_book.hpp"

#include <algorithm>

namespace kpm {

namespace {

/// An order's figures, by the rules for columns of them.
Fault validate_order(const BookOrder& order, std::int64_t claims) {
  Orders one;
  one.count = 1;
  one.claim = &order.claim;
  one.side = &order.side;
  one.price = &order.price;
  one.quantity = &order.quantity;
  Fault fault = validate(one, static_cast<int>(claims));
  fault.index = -1;  // a single order has no row
  return fault;
}

Fault of_id(Rule rule, std::int64_t id) { return {rule, Field::kOrderId, id, -1, 0.0}; }

/// Prefetch a cache line. In a large book an event misses the cache a handful of times: lines that
/// are requested together take the time of one.
void fetch(const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address, 1);
#else
  static_cast<void>(address);
#endif
}

std::int64_t levels_of(const EngineLimits& limits) {
  return limits.levels > 0 ? limits.levels : limits.orders;
}

double as_limit(double price) { return price + 0.0; }  // -0.0 is 0.0

}  // namespace

OrderBook::OrderBook(std::int64_t claims, const EngineLimits& limits)
    : limits_(limits), changed_(static_cast<std::size_t>(claims), 1) {
  limits_.levels = levels_of(limits);
  price_levels_.reset(static_cast<std::size_t>(claims));
  reserve(limits_.orders, limits_.levels);
  if (limits_.fixed) {  // what levels() works in, too
    levels_.reserve(price_levels_.capacity());
    sorted_.reserve(slots_.capacity());
  }
}

std::uint64_t OrderBook::bytes(std::int64_t claims, const EngineLimits& limits) {
  const auto trees = static_cast<std::uint64_t>(claims);
  const auto orders = static_cast<std::uint64_t>(limits.orders);
  const auto levels = static_cast<std::uint64_t>(levels_of(limits));
  return OrderIndex::bytes(orders) + PriceLevels::bytes(trees, levels) +
         orders * (sizeof(Slot) + sizeof(double)) + levels * sizeof(Level) + trees;
}

void OrderBook::reserve(std::int64_t orders, std::int64_t levels) {
  price_levels_.reserve(static_cast<std::size_t>(std::max<std::int64_t>(levels, 0)));
  slots_.reserve(static_cast<std::size_t>(std::max<std::int64_t>(orders, 0)));
  index_.reserve(static_cast<std::size_t>(std::max<std::int64_t>(orders, 0)));
}

Fault OrderBook::add(const BookOrder& order) {
  fetch(index_.begin_of(order.id));
  if (const Fault fault = validate_order(order, claims())) {
    return fault;
  }
  const std::int32_t level = level_of(order);
  if (contains(order.id)) {
    return of_id(Rule::kDuplicate, order.id);
  }
  if (size() >= (limits_.fixed ? limits_.orders : kMostSlots)) {
    return {Rule::kFull, Field::kOrders, -1, -1, static_cast<double>(size() + 1)};
  }
  if (const Fault fault = make_room_at(level, order, kNone)) {
    return fault;
  }
  const std::int32_t at = new_slot();
  slot(at) = Slot{};  // from here on nothing fails
  slot(at).order = order;
  index_.insert(order.id, at);
  stand(at, level);
  to_the_end(at);
  return {};
}

Fault OrderBook::cancel(std::int64_t id) {
  const std::int32_t at = index_.find(id);
  if (at == kNone) {
    return of_id(Rule::kUnknown, id);
  }
  fetch_around(at);
  leave(at);
  out_of_line(at);
  index_.erase(id);
  slot(at).later = free_;
  free_ = at;
  return {};
}

Fault OrderBook::reduce(std::int64_t id, double quantity) {
  const std::int32_t at = index_.find(id);
  if (at == kNone) {
    return of_id(Rule::kUnknown, id);
  }
  BookOrder left = slot(at).order;
  left.quantity = quantity;
  if (const Fault fault = validate_order(left, claims())) {
    return fault;
  }
  if (quantity > slot(at).order.quantity) {
    return {Rule::kExceeds, Field::kQuantity, -1, -1, quantity};
  }
  change(at, left, slot(at).level);
  return {};
}

Fault OrderBook::replace(std::int64_t id, double price, double quantity) {
  const std::int32_t at = index_.find(id);
  if (at == kNone) {
    return of_id(Rule::kUnknown, id);
  }
  fetch_around(at);
  BookOrder other = slot(at).order;
  other.price = price;
  other.quantity = quantity;
  if (const Fault fault = validate_order(other, claims())) {
    return fault;
  }
  const std::int32_t level = level_of(other);
  if (const Fault fault = make_room_at(level, other, at)) {
    return fault;
  }
  const BookOrder& before = slot(at).order;
  const bool stays = price == before.price && quantity <= before.quantity;
  change(at, other, level);
  if (!stays) {
    out_of_line(at);
    to_the_end(at);
  }
  return {};
}

void OrderBook::remove_all() {
  index_.clear();
  price_levels_.reset(changed_.size());
  slots_.clear();
  free_ = oldest_ = newest_ = kNone;
  std::fill(changed_.begin(), changed_.end(), char{1});
}

bool OrderBook::find(std::int64_t id, BookOrder& order) const {
  const std::int32_t at = index_.find(id);
  if (at != kNone) {
    order = slot(at).order;
  }
  return at != kNone;
}

/// The level that a new order will join, if there is one; prefetches what it will be linked with.
std::int32_t OrderBook::level_of(const BookOrder& order) const {
  if (order.quantity == 0.0) {
    return kNone;
  }
  const std::int32_t level = price_levels_.find(order.claim, as_limit(order.price));
  if (level != kNone) {
    const PriceLevel& found = price_levels_[level];
    const std::int32_t first = (order.side > 0 ? found.buy : found.sell).first;
    if (first != kNone) {
      fetch(&slot(first));
    }
  }
  return level;
}

/// Makes room for the level that an order will be the first of. The order `leaving` frees its own
/// if it is the only one there, which is room enough.
Fault OrderBook::make_room_at(std::int32_t level, const BookOrder& order, std::int32_t leaving) {
  if (level != kNone || order.quantity == 0.0) {
    return {};
  }
  if (leaving != kNone && slot(leaving).level != kNone) {
    const PriceLevel& left = price_levels_[slot(leaving).level];
    if (left.buy.orders + left.sell.orders == 1) {
      return {};
    }
  }
  if (limits_.fixed && price_levels_.size() >= static_cast<std::size_t>(limits_.levels)) {
    return {Rule::kFull, Field::kPrice, -1, -1, order.price};
  }
  price_levels_.make_room();
  return {};
}

/// A slot in no list, and room for its id.
std::int32_t OrderBook::new_slot() {
  const std::int32_t at = free_;
  if (at != kNone) {
    free_ = slot(at).later;
    return at;
  }
  index_.reserve(slots_.size() + 1);
  slots_.emplace_back();
  return static_cast<std::int32_t>(slots_.size() - 1);
}

/// Prefetches what an order that leaves is linked with.
void OrderBook::fetch_around(std::int32_t at) const {
  const Slot& mine = slot(at);
  for (const std::int32_t other : {mine.before, mine.after, mine.earlier, mine.later}) {
    if (other != kNone) {
      fetch(&slot(other));
    }
  }
  if (mine.level != kNone) {
    const PriceLevel& level = price_levels_[mine.level];
    fetch(mine.order.side > 0 ? &level.buy : &level.sell);
  }
}

/// Gives an order other figures; `level` is that of its new limit, if there is one.
void OrderBook::change(std::int32_t at, const BookOrder& other, std::int32_t level) {
  Slot& mine = slot(at);
  if (level != kNone && level == mine.level && other.quantity > 0.0) {
    side_of(mine).remove(mine.order.quantity);
    mine.order = other;
    side_of(mine).add(other.quantity);
    changed_[static_cast<std::size_t>(other.claim)] = 1;
    return;
  }
  leave(at);
  mine.order = other;
  stand(at, level);
}

/// Enters an order into `level`, among the orders of its side; the level is made if there is none.
void OrderBook::stand(std::int32_t at, std::int32_t level) {
  Slot& mine = slot(at);
  if (mine.order.quantity == 0.0) {
    return;
  }
  mine.level =
      level != kNone ? level : price_levels_.make(mine.order.claim, as_limit(mine.order.price));
  LevelSide& side = side_of(mine);
  mine.before = kNone;
  mine.after = side.first;
  if (side.first != kNone) {
    slot(side.first).before = at;
  }
  side.first = at;
  side.add(mine.order.quantity);
  changed_[static_cast<std::size_t>(mine.order.claim)] = 1;
}

void OrderBook::leave(std::int32_t at) {
  Slot& mine = slot(at);
  if (mine.level == kNone) {
    return;
  }
  LevelSide& side = side_of(mine);
  (mine.before == kNone ? side.first : slot(mine.before).after) = mine.after;
  if (mine.after != kNone) {
    slot(mine.after).before = mine.before;
  }
  side.remove(mine.order.quantity);
  if (price_levels_[mine.level].empty()) {
    price_levels_.drop(mine.order.claim, mine.level);
  }
  mine.level = kNone;
  changed_[static_cast<std::size_t>(mine.order.claim)] = 1;
}

void OrderBook::to_the_end(std::int32_t at) {
  slot(at).earlier = newest_;
  slot(at).later = kNone;
  (newest_ == kNone ? oldest_ : slot(newest_).later) = at;
  newest_ = at;
}

void OrderBook::out_of_line(std::int32_t at) {
  const Slot& mine = slot(at);
  (mine.earlier == kNone ? oldest_ : slot(mine.earlier).later) = mine.later;
  (mine.later == kNone ? newest_ : slot(mine.later).earlier) = mine.earlier;
}

const std::vector<Level>& OrderBook::levels(std::int64_t claim) {
  levels_.clear();
  price_levels_.ascending(claim, [&](PriceLevel& level) {
    // In the sequence of quotes that are sorted by signed quantity.
    if (level.buy.stale) {
      level.buy.sum = sorted_sum(level.buy, false);
    }
    if (level.sell.stale) {
      level.sell.sum = sorted_sum(level.sell, true);
    }
    level.buy.stale = level.sell.stale = false;
    levels_.push_back({level.price, level.buy.sum, level.sell.sum});
  });
  changed_[static_cast<std::size_t>(claim)] = 0;
  return levels_;
}

double OrderBook::sorted_sum(const LevelSide& side, bool descending) {
  sorted_.clear();
  for (std::int32_t at = side.first; at != kNone; at = slot(at).after) {
    sorted_.push_back(slot(at).order.quantity);
  }
  std::sort(sorted_.begin(), sorted_.end());
  if (descending) {
    std::reverse(sorted_.begin(), sorted_.end());
  }
  double sum = 0.0;
  for (const double quantity : sorted_) {
    sum += quantity;
  }
  return sum;
}

}  // namespace kpm
