#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "check.hpp"
#include "kpm/engine.hpp"
#include "random_book.hpp"

namespace kpm::test {

namespace {

/// The plainest model of a book: a list by priority.
struct Model {
  std::vector<BookOrder> orders;

  std::vector<BookOrder>::iterator find(std::int64_t id) {
    return std::find_if(orders.begin(), orders.end(),
                        [&](const BookOrder& order) { return order.id == id; });
  }

  bool add(const BookOrder& order) {
    if (find(order.id) != orders.end()) {
      return false;
    }
    orders.push_back(order);
    return true;
  }
  bool cancel(std::int64_t id) {
    const auto at = find(id);
    if (at == orders.end()) {
      return false;
    }
    orders.erase(at);
    return true;
  }
  bool reduce(std::int64_t id, double quantity) {
    const auto at = find(id);
    if (at == orders.end() || quantity > at->quantity) {
      return false;
    }
    at->quantity = quantity;
    return true;
  }
  bool replace(std::int64_t id, double price, double quantity) {
    const auto at = find(id);
    if (at == orders.end()) {
      return false;
    }
    const bool stays = at->price == price && quantity <= at->quantity;
    BookOrder changed = *at;
    changed.price = price;
    changed.quantity = quantity;
    if (stays) {
      *at = changed;
    } else {
      orders.erase(at);
      orders.push_back(changed);
    }
    return true;
  }
};

/// The model's columns.
struct Table {
  explicit Table(const Model& model) {
    for (const BookOrder& order : model.orders) {
      claim.push_back(order.claim);
      side.push_back(order.side);
      price.push_back(order.price);
      quantity.push_back(order.quantity);
    }
  }
  Orders orders() const {
    Orders all;
    all.count = static_cast<std::int64_t>(claim.size());
    all.claim = claim.data();
    all.side = side.data();
    all.price = price.data();
    all.quantity = quantity.data();
    return all;
  }
  std::vector<std::int64_t> claim;
  std::vector<std::int8_t> side;
  std::vector<double> price, quantity;
};

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool same_bits(double a, double b) { return same_bits(std::vector{a}, std::vector{b}); }

/// Everything that a clearing publishes, except the statistics of the search.
bool same_clearing(const Clearing& a, const Clearing& b) {
  return a.status == b.status && same_bits(a.pieces, b.pieces) && same_bits(a.cell, b.cell) &&
         same_bits(a.state_prices, b.state_prices) && same_bits(a.claim_prices, b.claim_prices) &&
         same_bits(a.net_demand, b.net_demand) && same_bits(a.fills, b.fills) &&
         same_bits(a.payoff, b.payoff) && same_bits(a.revenue, b.revenue) &&
         same_bits(a.certainty_equivalent, b.certainty_equivalent) &&
         same_bits(a.no_trade_equivalent, b.no_trade_equivalent) &&
         same_bits(a.upper_bound, b.upper_bound) && same_bits(a.scale, b.scale) &&
         same_bits(a.support.worst_case, b.support.worst_case) &&
         same_bits(a.support.marginal_state_prices, b.support.marginal_state_prices) &&
         same_bits(a.support.multipliers, b.support.multipliers) &&
         same_bits(a.support.ambiguity_price, b.support.ambiguity_price);
}

/// A quantity of shares: whole, in hundredths, with any digits, or zero.
double some_quantity(Random& random) {
  switch (random.below(4)) {
    case 0:
      return random.below(20);
    case 1:
      return random.below(2000) / 100.0;
    case 2:
      return random.uniform(0.0, 50.0);
    default:
      return 1 + random.below(500);
  }
}

/// A limit on a grid over a claim's payoffs and a little beyond, or that of a market order.
double some_price(Random& random, const RandomBook& book, std::int64_t claim) {
  if (random.below(50) == 0) {
    return random.below(2) == 0 ? kInfinity : -kInfinity;
  }
  const double* const row = book.payoffs_of(static_cast<int>(claim));
  const double low = *std::min_element(row, row + book.states);
  const double high = *std::max_element(row, row + book.states);
  return low + (high - low) * (random.below(25) - 2) / 20.0;
}

/// Random commands for the engine and the model, and clearings that are compared.
void run_commands(std::uint64_t seed, int commands, int clear_every) {
  Random random(seed);
  RandomBook start(random, 4, 3, 0);
  Engine engine(start.market());
  Model model;
  ClearSettings settings;
  settings.threads = 1;
  for (int command = 0; command < commands; ++command) {
    const std::int64_t id = random.below(60) - 5;
    BookOrder known{id, random.below(3), 1, 0.0, 0.0};
    const bool in_book = engine.find(id, known);
    const double price = some_price(random, start, known.claim);
    const double quantity = some_quantity(random);
    switch (random.below(5)) {
      case 0:
      case 1: {
        const BookOrder order{id, known.claim,
                              random.below(2) == 0 ? std::int8_t{1} : std::int8_t{-1}, price,
                              quantity};
        CHECK(!engine.add(order.claim, order.side, price, quantity, id) == model.add(order));
        break;
      }
      case 2:
        CHECK(!engine.cancel(id) == model.cancel(id));
        break;
      case 3:
        CHECK(!engine.reduce(id, quantity) == model.reduce(id, quantity));
        break;
      default: {
        const double limit = in_book && random.below(2) == 0 ? known.price : price;
        CHECK(!engine.replace(id, limit, quantity) == model.replace(id, limit, quantity));
      }
    }
    if (random.below(400) == 0) {
      std::vector<std::uint8_t> bytes(engine.snapshot_size());
      engine.snapshot(bytes.data());
      Engine other(start.market());
      CHECK(!other.restore(bytes.data(), bytes.size()));
      CHECK(other.state_hash() == engine.state_hash());
      engine = std::move(other);
    }
    if (command % clear_every == 0) {
      const Table table(model);
      const BookColumns book = engine.orders();
      CHECK(book.orders.count == table.orders().count);
      bool equal = true;
      for (std::size_t row = 0; row < model.orders.size(); ++row) {
        equal = equal && book.id[row] == model.orders[row].id &&
                book.orders.claim[row] == table.claim[row] &&
                book.orders.side[row] == table.side[row] &&
                book.orders.price[row] == table.price[row] &&
                book.orders.quantity[row] == table.quantity[row];
      }
      CHECK(equal);
      const Clearing clearing = engine.clear(settings);
      CHECK(same_clearing(clearing, kpm::clear(start.market(), table.orders(), settings)));
      CHECK(same_clearing(clearing, engine.clear(settings)));
    }
  }
}

}  // namespace

TEST(commands_lead_to_the_book_of_the_model_and_to_the_bits_of_a_cold_clearing) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    run_commands(seed, 3000, 20);
  }
}

namespace {

/// Claims on one winner of eight, and orders about what a crowd believes.
struct Winners {
  explicit Winners(std::uint64_t seed)
      : random(seed),
        start(winners(random)),
        crowd(random_distribution(random, kStates)),
        engine(start.market()) {
    settings.threads = 1;
    for (std::int64_t id = 0; id < kOrders; ++id) {
      const std::int8_t side = random.below(2) == 0 ? 1 : -1;
      CHECK(!engine.add(random.below(kStates), side, some_limit(), 1 + random.below(50), id));
    }
  }

  static RandomBook winners(Random& random) {
    RandomBook book(random, kStates, kStates, 0);
    book.payoffs.assign(kStates * kStates, 0.0);
    for (std::size_t k = 0; k < kStates; ++k) {
      book.payoffs[k * kStates + k] = 1.0;
    }
    book.prior.assign(kStates, 1.0 / kStates);
    book.inventory.assign(kStates, 0.0);
    book.risk_aversion = 0.002;
    book.ambiguity = 0.1;
    return book;
  }

  double some_limit() {
    const double price = crowd[random.below(kStates)] * random.uniform(0.7, 1.4);
    return std::round(1000.0 * std::clamp(price, 0.01, 0.99)) / 1000.0;
  }

  void change() {
    const std::int64_t id = random.below(kOrders);
    BookOrder order{};
    CHECK(engine.find(id, order));
    CHECK(!(random.below(2) == 0 ? engine.reduce(id, order.quantity / 2)
                                 : engine.replace(id, some_limit(), 1 + random.below(50))));
  }

  Clearing cold() {
    const BookColumns book = engine.orders();
    return kpm::clear(start.market(), book.orders, settings);
  }

  static constexpr int kStates = 8;
  static constexpr std::int64_t kOrders = 300;
  Random random;
  RandomBook start;
  Array crowd;
  Engine engine;
  ClearSettings settings;
};

/// The first of them whose book as it is needs no search once it was cleared.
Winners warm_winners() {
  for (std::uint64_t seed = 1;; ++seed) {
    Winners found(seed);
    found.engine.clear(found.settings);
    found.engine.clear(found.settings);
    if (found.engine.warm_clearings() > 0 || seed == 100) {
      return found;
    }
  }
}

}  // namespace

TEST(clearings_without_a_search_have_the_bits_of_one) {
  std::int64_t warm = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Winners winners(seed);
    for (int turn = 0; turn < 25; ++turn) {
      winners.settings.tolerance = turn % 3 == 0 ? 9e-7 : 1e-9;
      CHECK(same_clearing(winners.engine.clear(winners.settings), winners.cold()));
      winners.change();
    }
    warm += winners.engine.warm_clearings();
  }
  CHECK(warm >= 12);
}

TEST(what_asks_for_a_search_gets_one) {
  Winners found = warm_winners();
  Engine& engine = found.engine;
  const auto needs_no_search = [&](const ClearSettings& settings) {
    const std::int64_t before = engine.warm_clearings();
    const Clearing clearing = engine.clear(settings);
    CHECK((clearing.progress.relaxations == 0 && clearing.iterations > 0) ||
          engine.warm_clearings() == before);
    return engine.warm_clearings() > before;
  };
  CHECK(needs_no_search(found.settings));
  const auto with = [&](auto&& change) {
    ClearSettings settings = found.settings;
    change(settings);
    return needs_no_search(settings);
  };
  CHECK(!with([](ClearSettings& settings) { settings.tolerance = 1e-5; }));
  CHECK(!with([](ClearSettings& settings) { settings.certificate = true; }));
  CHECK(!with([](ClearSettings& settings) { settings.node_limit = 1000; }));
  CHECK(!with(
      [](ClearSettings& settings) { settings.monitor = [](const Progress&) { return false; }; }));
  CHECK(needs_no_search(found.settings));  // what they did not use is still there
  CHECK(with([](ClearSettings& settings) { settings.threads = 2; }));
  engine.forget();
  CHECK(!needs_no_search(found.settings));
  CHECK(needs_no_search(found.settings));
  CHECK(!engine.set_market(found.start.market()));
  CHECK(!needs_no_search(found.settings));
  CHECK(needs_no_search(found.settings));
}

TEST(an_engine_told_to_stop_before_it_begins_has_no_time) {
  Random random(12);
  int stopped = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const RandomBook book(random, 3, 2, 8);
    Engine engine(book.market(), {100});
    const Orders orders = book.book();
    for (std::int64_t j = 0; j < orders.count; ++j) {
      CHECK(
          !engine.add(orders.claim[j], orders.side[j], orders.price[j], orders.quantity[j], j + 1));
    }
    ClearSettings settings;
    AuctionSettings auction;
    settings.interrupted = auction.interrupted = [] { return true; };
    ClearSettings no_time;
    no_time.time_limit = 0.0;
    const Clearing found = engine.clear(settings);
    engine.forget();
    const Clearing none = engine.clear(no_time);
    CHECK(found.fills == none.fills && found.upper_bound == none.upper_bound);
    engine.forget();
    const AuctionClearing other = engine.clear(auction);
    CHECK(std::isfinite(other.clearing.upper_bound));
    CHECK(other.clearing.iterations == 0);
    for (const Status status : {found.status, other.clearing.status}) {
      CHECK(status == Status::kInterrupted || status == Status::kOptimal);
      stopped += status == Status::kInterrupted ? 1 : 0;
    }
  }
  CHECK(stopped > 15);
}

TEST(within_fixed_limits_a_search_is_left_out_where_they_leave_it_room) {
  Winners found = warm_winners();
  std::vector<std::uint8_t> bytes(found.engine.snapshot_size());
  found.engine.snapshot(bytes.data());
  for (const std::int64_t nodes : {16, 1000}) {
    Engine fixed(found.start.market(), {Winners::kOrders, 1000, true, 0, nodes});
    CHECK(!fixed.restore(bytes.data(), bytes.size()));
    CHECK(fixed.state_hash() == found.engine.state_hash());
    ClearSettings settings = found.settings;
    for (int turn = 0; turn < 3; ++turn) {
      settings.node_limit = nodes;
      CHECK(same_clearing(fixed.clear(settings), found.cold()));
      settings.node_limit = nodes - 1;  // another limit than the engine's: a search
      CHECK(same_clearing(fixed.clear(settings), found.cold()));
    }
    CHECK(fixed.warm_clearings() == (nodes < 64 ? 0 : 2));
  }
}

TEST(a_side_that_is_none_is_named_before_it_is_narrowed) {
  Random random(6);
  const RandomBook start(random, 3, 2, 0);
  Engine engine(start.market());
  for (const std::int64_t side : {257LL, -255LL, 4294967297LL, 255LL, 0LL, 2LL}) {
    const Fault fault = engine.add(0, side, 0.5, 3.0, 7);
    CHECK(fault.rule == Rule::kSide && fault.field == Field::kSide && fault.index == -1);
    CHECK(fault.value == static_cast<double>(side));
    CHECK(engine.size() == 0);
  }
}

TEST(faults_name_what_is_wrong_and_change_nothing) {
  Random random(6);
  const RandomBook start(random, 3, 2, 0);
  Engine engine(start.market(), {2, 1, true});
  CHECK(!engine.add(0, 1, 0.5, 3.0, 7));
  const std::uint64_t before = engine.state_hash();
  const auto is = [](const Fault& fault, Rule rule, Field field) {
    return fault.rule == rule && fault.field == field;
  };
  CHECK(is(engine.add(0, 1, 0.5, 3.0, 7), Rule::kDuplicate, Field::kOrderId));
  CHECK(is(engine.add(2, 1, 0.5, 3.0, 8), Rule::kIndex, Field::kClaim));
  CHECK(is(engine.add(0, 0, 0.5, 3.0, 8), Rule::kSide, Field::kSide));
  CHECK(is(engine.add(0, 1, std::nan(""), 3.0, 8), Rule::kNumber, Field::kPrice));
  CHECK(is(engine.add(0, 1, 0.5, -1.0, 8), Rule::kNotNegative, Field::kQuantity));
  CHECK(is(engine.add(0, 1, 0.6, 1.0, 8), Rule::kFull, Field::kPrice));
  CHECK(describe(engine.add(0, 1, 0.6, 1.0, 8)) ==
        "price would be one level more than limits.levels allows, got 0.6");
  CHECK(is(engine.cancel(8), Rule::kUnknown, Field::kOrderId));
  CHECK(is(engine.reduce(7, 4.0), Rule::kExceeds, Field::kQuantity));
  CHECK(is(engine.replace(7, std::nan(""), 3.0), Rule::kNumber, Field::kPrice));
  CHECK(engine.state_hash() == before);
  CHECK(!engine.replace(7, 0.6, 3.0));  // the level that it leaves makes room
  CHECK(!engine.add(0, -1, 0.6, 1.0, 8));
  CHECK(is(engine.add(0, 1, 0.6, 1.0, 9), Rule::kFull, Field::kOrders));
  CHECK(describe(engine.add(0, 1, 0.6, 1.0, 9)) ==
        "orders would be more than limits.orders allows, got 3");
}

TEST(a_damaged_snapshot_is_refused) {
  Random random(7);
  const RandomBook start(random, 3, 2, 0);
  Engine engine(start.market());
  engine.add(0, 1, 0.5, 3.0, 7);
  engine.add(1, -1, 0.5, 3.5, -8);
  std::vector<std::uint8_t> bytes(engine.snapshot_size());
  engine.snapshot(bytes.data());
  const std::uint64_t before = engine.state_hash();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::vector<std::uint8_t> damaged = bytes;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1 << random.below(8)));
    CHECK(engine.restore(damaged.data(), damaged.size()).rule == Rule::kDamaged);
    CHECK(engine.restore(bytes.data(), at).rule == Rule::kDamaged);
  }
  CHECK(engine.state_hash() == before);
  CHECK(!engine.restore(bytes.data(), bytes.size()));
  CHECK(engine.state_hash() == before);
}

TEST(another_maker_and_other_payoffs_are_cleared_as_from_the_start) {
  Random random(8);
  const RandomBook first(random, 4, 3, 40);
  const RandomBook second(random, 4, 3, 0);
  Engine engine(first.market());
  for (std::size_t j = 0; j < first.claim.size(); ++j) {
    engine.add(first.claim[j], first.side[j], first.price[j], first.quantity[j],
               static_cast<std::int64_t>(j));
  }
  ClearSettings settings;
  settings.threads = 1;
  Market other = first.market();
  other.ambiguity = 0.5 * other.ambiguity + 0.01;
  for (const Market& market : {first.market(), other, second.market(), first.market()}) {
    CHECK(!engine.set_market(market));
    CHECK(same_clearing(engine.clear(settings), kpm::clear(market, first.book(), settings)));
  }
}

}  // namespace kpm::test
