#include "kpm/engine.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "book/own_maker.hpp"
#include "book/staircase.hpp"
#include "engine/bytes.hpp"
#include "engine/market_copy.hpp"
#include "engine/order_book.hpp"
#include "mechanisms/competitive/clear_compiled_auction.hpp"
#include "mechanisms/maker_optimal/clear_compiled.hpp"
#include "mechanisms/maker_optimal/warm_start.hpp"
#include "numerics/extremes.hpp"
#include "search/tree/node_solver.hpp"

namespace kpm {

namespace {

constexpr std::uint64_t kMark = 0x0131304b4f4f426dU;  // "mBOOK01", and 1
constexpr std::size_t kWordsAround = 3;               // mark, count; hash
constexpr std::size_t kWordsOfOrder = 5;

/// The orders by priority, column by column.
struct Columns {
  std::vector<std::int64_t> claim, id;
  std::vector<std::int8_t> side;
  std::vector<double> price, quantity;

  static std::uint64_t bytes(std::int64_t count) {
    constexpr std::size_t kRow = sizeof(BookOrder{}.claim) + sizeof(BookOrder{}.id) +
                                 sizeof(BookOrder{}.side) + sizeof(BookOrder{}.price) +
                                 sizeof(BookOrder{}.quantity);
    return static_cast<std::uint64_t>(count) * kRow;
  }

  void reserve(std::size_t count) {
    claim.reserve(count);
    id.reserve(count);
    side.reserve(count);
    price.reserve(count);
    quantity.reserve(count);
  }

  BookOrder order(std::size_t row) const {
    return {id[row], claim[row], side[row], price[row], quantity[row]};
  }

  void take(const OrderBook& book) {
    const auto count = static_cast<std::size_t>(book.size());
    claim.resize(count);
    id.resize(count);
    side.resize(count);
    price.resize(count);
    quantity.resize(count);
    std::size_t row = 0;
    book.by_priority([&](const BookOrder& order) {
      claim[row] = order.claim;
      id[row] = order.id;
      side[row] = order.side;
      price[row] = order.price;
      quantity[row] = order.quantity;
      ++row;
    });
  }
};

Market validated(const Market& market) {
  require(validate(market));
  return market;
}

Market validated(const Market& market, const MakerModel& maker) {
  require(validate(market, maker));
  return market;
}

}  // namespace

struct Engine::State {
  State(const Market& given, const MakerModel& maker, const EngineLimits& engine_limits)
      : market(given, maker, engine_limits.states, engine_limits.priors),
        limits(engine_limits),
        book(given.claims, engine_limits),
        memory(given.claims, engine_limits.nodes) {
    if (limits.fixed) {
      columns.reserve(static_cast<std::size_t>(std::max<std::int64_t>(limits.orders, 0)));
    }
  }

  /// Note an event: unless it failed, the columns are stale.
  Fault after(const Fault& fault) {
    listed = listed && fault;
    return fault;
  }

  const Columns& list() {
    if (!listed) {
      columns.take(book);
      listed = true;
    }
    return columns;
  }

  Orders orders() {
    const Columns& all = list();
    Orders orders;
    orders.count = book.size();
    orders.claim = all.claim.data();
    orders.side = all.side.data();
    orders.price = all.price.data();
    orders.quantity = all.quantity.data();
    return orders;
  }

  /// A claim's staircase, from its levels.
  Staircase staircase_of(int k) {
    const Market& of = market.market();
    const double* const row = of.payoffs + static_cast<std::ptrdiff_t>(k) * of.states;
    const auto [low, high] = extremes_of(row, of.states);
    const std::vector<Level>& levels = book.levels(k);
    return make_staircase(low, high, levels.data(), levels.data() + levels.size());
  }

  /// Hands the staircases of the book as it is to a clearing. An engine that may grow keeps them
  /// and makes those of the claims that have changed; one of fixed limits keeps none from one
  /// clearing to the next, so that the memory that is left to a clearing does not depend on those
  /// before.
  template <class Work>
  auto with_stairs(Work&& work) {
    std::vector<Staircase> passing;
    std::vector<Staircase>& compiled = limits.fixed ? passing : stairs;
    compiled.resize(static_cast<std::size_t>(book.claims()));
    // Until it returns: levels that were read count as unchanged, and memory may run out.
    const bool others = std::exchange(compiled_all, false);
    for (int k = 0; k < market.market().claims; ++k) {
      if (limits.fixed || !others || book.changed(k)) {
        compiled[static_cast<std::size_t>(k)] = staircase_of(k);
      }
    }
    auto clearing = work(compiled);
    compiled_all = true;
    return clearing;
  }

  Clearing clear(const Orders& orders, const ClearSettings& settings) {
    require(validate_rule(market.maker().kind, kMakerOptimal));
    return with_stairs([&](std::vector<Staircase>& compiled) {
      return clear_compiled(market.market(), orders, compiled, settings, &memory);
    });
  }

  AuctionClearing clear(const Orders& orders, const AuctionSettings& settings) {
    return with_stairs([&](std::vector<Staircase>& compiled) {
      return clear_compiled_auction(market.market(), market.maker(), orders, compiled, settings);
    });
  }

  Fault set_market(const Market& other, const MakerModel& maker) {
    if (other.claims != market.market().claims) {
      return {Rule::kClaims, Field::kMarket, -1, -1, static_cast<double>(other.claims)};
    }
    if (limits.fixed && !market.has_room_for(other)) {
      return {Rule::kFull, Field::kMarket, -1, -1, static_cast<double>(other.states)};
    }
    if (limits.fixed && maker.kind == MakerKind::kPolytope && maker.priors > limits.priors) {
      return {Rule::kFull, Field::kPriors, -1, -1, static_cast<double>(maker.priors)};
    }
    market.make_room_for(other, maker);
    const bool same = market.same_payoffs(other);
    market.assign(other, maker);
    memory.forget();
    compiled_all = compiled_all && same;
    return {};
  }

  /// Replaces the orders of the book, which are restored if one of the new ones is refused.
  template <class Next>
  Fault replace_book(std::size_t count, Next&& next) {
    list();  // the orders that may have to be restored
    if (!limits.fixed) {
      book.reserve(static_cast<std::int64_t>(count), static_cast<std::int64_t>(count));
    }
    // From here on nothing allocates: there is room for these orders, and for the old ones.
    const Fault fault = fill_book(count, next);
    if (fault) {
      fill_book(columns.id.size(), [this](std::size_t row) { return columns.order(row); });
    }
    listed = listed && fault;
    compiled_all = false;
    return fault;
  }

  template <class Next>
  Fault fill_book(std::size_t count, Next&& next) {
    book.remove_all();
    for (std::size_t row = 0; row < count; ++row) {
      if (const Fault fault = book.add(next(row))) {
        return fault;
      }
    }
    return {};
  }

  MarketCopy market;
  EngineLimits limits;
  OrderBook book;
  std::vector<Staircase> stairs;
  bool compiled_all = false;  // with this market's payoffs
  Columns columns;
  bool listed = false;  // the columns are those of the book
  WarmStart memory;     // of the last clearing, as large at all times
};

Engine::Engine(const Market& market, const EngineLimits& limits)
    : state_(std::make_unique<State>(validated(market), maker_of(market), limits)) {}
Engine::Engine(const Market& market, const MakerModel& maker, const EngineLimits& limits)
    : state_(std::make_unique<State>(validated(market, maker), maker, limits)) {}
Engine::Engine(Engine&& other) noexcept = default;
Engine& Engine::operator=(Engine&& other) noexcept = default;
Engine::~Engine() = default;

std::uint64_t Engine::bytes(int claims, const EngineLimits& limits) {
  return sizeof(Engine) + sizeof(State) + OrderBook::bytes(claims, limits) +
         Columns::bytes(limits.orders) + WarmStart::bytes(claims) +
         MarketCopy::bytes(limits.states, claims, limits.priors);
}

int Engine::most_boxes_of_node(int claims) { return NodeSolver::most_leaves(claims); }

Fault Engine::add(std::int64_t claim, std::int64_t side, double price, double quantity,
                  std::int64_t id) {
  if (side != 1 && side != -1) {  // before it is narrowed
    return {Rule::kSide, Field::kSide, -1, -1, static_cast<double>(side)};
  }
  return state_->after(
      state_->book.add({id, claim, static_cast<std::int8_t>(side), price, quantity}));
}

Fault Engine::cancel(std::int64_t id) { return state_->after(state_->book.cancel(id)); }

Fault Engine::reduce(std::int64_t id, double quantity) {
  return state_->after(state_->book.reduce(id, quantity));
}

Fault Engine::replace(std::int64_t id, double price, double quantity) {
  return state_->after(state_->book.replace(id, price, quantity));
}

void Engine::remove_all() {
  state_->book.remove_all();
  state_->listed = false;
}

Fault Engine::set_market(const Market& market) {
  if (const Fault fault = validate(market)) {
    return fault;
  }
  return state_->set_market(market, maker_of(market));
}

Fault Engine::set_market(const Market& market, const MakerModel& maker) {
  if (const Fault fault = validate(market, maker)) {
    return fault;
  }
  return state_->set_market(market, maker);
}

const Market& Engine::market() const { return state_->market.market(); }
const MakerModel& Engine::maker() const { return state_->market.maker(); }
std::int64_t Engine::size() const { return state_->book.size(); }
bool Engine::contains(std::int64_t id) const { return state_->book.contains(id); }

bool Engine::find(std::int64_t id, BookOrder& order) const { return state_->book.find(id, order); }

BookColumns Engine::orders() { return {state_->orders(), state_->columns.id.data()}; }

Clearing Engine::clear(const ClearSettings& settings) {
  return state_->clear(state_->orders(), settings);
}

Clearing Engine::indicative(const ClearSettings& settings) {
  return state_->clear(Orders{}, settings);
}

AuctionClearing Engine::clear(const AuctionSettings& settings) {
  return state_->clear(state_->orders(), settings);
}

AuctionClearing Engine::indicative(const AuctionSettings& settings) {
  return state_->clear(Orders{}, settings);
}

void Engine::forget() { state_->memory.forget(); }

std::int64_t Engine::warm_clearings() const { return state_->memory.proved(); }

std::size_t Engine::snapshot_size() const {
  return 8 * (kWordsAround + kWordsOfOrder * static_cast<std::size_t>(size()));
}

void Engine::snapshot(std::uint8_t* bytes) {
  Hash hash;
  const auto write = [&](std::uint64_t word) {
    hash.add(word);
    put(bytes, word);
  };
  write(kMark);
  write(static_cast<std::uint64_t>(size()));
  state_->book.by_priority([&](const BookOrder& order) {
    write(static_cast<std::uint64_t>(order.id));
    write(static_cast<std::uint64_t>(order.claim));
    write(order.side > 0 ? 1 : 0);
    write(bits_of(order.price));
    write(bits_of(order.quantity));
  });
  put(bytes, hash.value());
}

Fault Engine::restore(const std::uint8_t* bytes, std::size_t size) {
  const Fault damaged{Rule::kDamaged, Field::kSnapshot, -1, -1, 0.0};
  if (size < 8 * kWordsAround || size % 8 != 0) {
    return damaged;
  }
  Hash hash;
  const std::uint8_t* from = bytes;
  for (std::size_t word = 0; word + 1 < size / 8; ++word) {
    hash.add(take(from));
  }
  if (take(from) != hash.value()) {
    return damaged;
  }
  from = bytes;
  if (take(from) != kMark || take(from) != (size / 8 - kWordsAround) / kWordsOfOrder ||
      (size / 8 - kWordsAround) % kWordsOfOrder != 0) {
    return damaged;
  }
  const std::size_t count = (size / 8 - kWordsAround) / kWordsOfOrder;
  return state_->replace_book(count, [&from](std::size_t) {
    BookOrder order;
    order.id = static_cast<std::int64_t>(take(from));
    order.claim = static_cast<std::int64_t>(take(from));
    order.side = take(from) != 0 ? std::int8_t{1} : std::int8_t{-1};
    order.price = double_of(take(from));
    order.quantity = double_of(take(from));
    return order;
  });
}

std::uint64_t Engine::state_hash() {
  const Market& market = state_->market.market();
  Hash hash;
  hash.add(static_cast<std::uint64_t>(market.states));
  hash.add(static_cast<std::uint64_t>(market.claims));
  std::for_each(market.payoffs,
                market.payoffs + static_cast<std::ptrdiff_t>(market.claims) * market.states,
                [&](double payoff) { hash.add(payoff); });
  const MakerModel& maker = state_->market.maker();
  for (const double weight : state_->market.weights()) {
    hash.add(weight);
  }
  std::for_each(market.inventory, market.inventory + market.states,
                [&](double money) { hash.add(money); });
  if (maker.kind == MakerKind::kKnightian) {
    hash.add(maker.risk_aversion);
    hash.add(maker.ambiguity);
  } else {
    hash.add(static_cast<std::uint64_t>(maker.kind));
    hash.add(static_cast<std::uint64_t>(state_->market.weights().size()));
    hash.add(parameter_of(maker));
  }
  hash.add(static_cast<std::uint64_t>(size()));
  state_->book.by_priority([&](const BookOrder& order) {
    hash.add(static_cast<std::uint64_t>(order.id));
    hash.add(static_cast<std::uint64_t>(order.claim));
    hash.add(static_cast<std::uint64_t>(order.side > 0 ? 1 : 0));
    hash.add(order.price);
    hash.add(order.quantity);
  });
  return hash.value();
}

}  // namespace kpm
