// Memory that runs out anywhere in a command of an engine: the engine is as it was, and goes on.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "c/c_book.hpp"
#include "kpm/auction.hpp"
#include "kpm/engine.hpp"
#include "library/counted_malloc.hpp"
#include "library/own_allocator.hpp"
#include "memory/starved_heap.hpp"

namespace kpm {

namespace {

constexpr int kStates = 4;
constexpr int kClaims = 3;
constexpr int kPriors = 6;

void add_to(Engine& engine, const BookOrder& order) {
  CHECK(!engine.add(order.claim, order.side, order.price, order.quantity, order.id));
}

std::vector<std::uint8_t> snapshot_of(Engine& engine) {
  std::vector<std::uint8_t> bytes(engine.snapshot_size());
  engine.snapshot(bytes.data());
  return bytes;
}

/// The markets, the makers and the orders of these tests.
struct World {
  World()
      : random(71),
        first(random, kStates, kClaims, 0),
        larger(random, 2 * kStates, kClaims, 0),
        wider(random, kStates, kClaims + 1, 0) {
    for (int row = 0; row < kPriors; ++row) {
      const Array prior = test::random_distribution(random, kStates);
      priors.insert(priors.end(), prior.begin(), prior.end());
    }
    Engine of_first(first.market());
    Engine of_wider(wider.market());
    for (std::int64_t id = 0; id < 40; ++id) {
      const int claim = random.below(kClaims);
      const double* const row = first.payoffs_of(claim);
      const auto [low, high] = std::minmax_element(row, row + kStates);
      const std::int8_t side = random.below(2) == 0 ? 1 : -1;
      orders.push_back({id, claim, side, random.uniform(*low, *high), 0.1 + random.below(30)});
      add_to(of_first, orders.back());
      add_to(of_wider, orders.back());
    }
    add_to(of_wider, {-1, kClaims, 1, 0.5, 1.0});
    saved = snapshot_of(of_first);
    foreign = snapshot_of(of_wider);
  }

  test::Random random;
  test::RandomBook first, larger, wider;
  std::vector<double> priors;
  std::vector<BookOrder> orders;
  std::vector<std::uint8_t> saved, foreign;  // the last order of `foreign` is for no claim of ours
};

/// What can be seen of an engine, in bits.
using Picture = std::vector<std::uint64_t>;

template <class T>
void put(Picture& picture, const T* values, std::size_t count) {
  for (std::size_t at = 0; at < count; ++at) {
    const auto value = static_cast<double>(values[at]);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    picture.push_back(bits);
  }
}
template <class T>
void put(Picture& picture, const std::vector<T>& values) {
  put(picture, values.data(), values.size());
}

/// An engine in C++. Its commands return codes of kpm.h.
class Direct {
 public:
  explicit Direct(const World& world) : world_(world), engine_(world.first.market()) {
    settings_.threads = 1;
  }

  std::int32_t add(const BookOrder& order) {
    return code([&] {
      return engine_.add(order.claim, order.side, order.price, order.quantity, order.id);
    });
  }
  std::int32_t cancel(std::int64_t id) {
    return code([&] { return engine_.cancel(id); });
  }
  std::int32_t reduce(std::int64_t id, double quantity) {
    return code([&] { return engine_.reduce(id, quantity); });
  }
  std::int32_t replace(std::int64_t id, double price, double quantity) {
    return code([&] { return engine_.replace(id, price, quantity); });
  }
  std::int32_t cancel_all() {
    engine_.remove_all();
    return KPM_OK;
  }
  std::int32_t set_market() {
    return code([&] { return engine_.set_market(world_.larger.market()); });
  }
  std::int32_t set_maker() {
    MakerModel maker;
    maker.kind = MakerKind::kPolytope;
    maker.states = kStates;
    maker.vertices = world_.priors.data();
    maker.priors = kPriors;
    maker.risk_aversion = 0.2;
    return code([&] { return engine_.set_market(engine_.market(), maker); });
  }
  std::int32_t restore(const std::vector<std::uint8_t>& bytes) {
    return code([&] { return engine_.restore(bytes.data(), bytes.size()); });
  }
  std::int32_t list() {
    return code([&] { return engine_.orders().orders.count < 0 ? Fault{Rule::kCount} : Fault{}; });
  }
  std::int32_t clear(std::int32_t rule) {
    return code([&] {
      rule == KPM_MAKER_OPTIMAL ? engine_.clear(settings_) : engine_.clear(auction_).clearing;
      return Fault{};
    });
  }
  std::int32_t indicative(std::int32_t rule) {
    return code([&] {
      rule == KPM_MAKER_OPTIMAL ? engine_.indicative(settings_)
                                : engine_.indicative(auction_).clearing;
      return Fault{};
    });
  }

  Picture picture() {
    const bool knightian = engine_.maker().kind == MakerKind::kKnightian;
    const Clearing clearing =
        knightian ? engine_.clear(settings_) : engine_.clear(auction_).clearing;
    Picture all{engine_.state_hash()};
    put(all, clearing.state_prices);
    put(all, clearing.claim_prices);
    put(all, clearing.net_demand);
    put(all, clearing.fills);
    put(all, clearing.payoff);
    put(all, clearing.cell);
    put(all, &clearing.certainty_equivalent, 1);
    put(all, &clearing.upper_bound, 1);
    const BookColumns book = engine_.orders();
    const auto count = static_cast<std::size_t>(book.orders.count);
    put(all, book.id, count);
    put(all, book.orders.claim, count);
    put(all, book.orders.side, count);
    put(all, book.orders.price, count);
    put(all, book.orders.quantity, count);
    return all;
  }

 private:
  template <class Work>
  static std::int32_t code(Work&& work) {
    try {
      return work() ? KPM_INVALID_INPUT : KPM_OK;
    } catch (const std::bad_alloc&) {
      return KPM_OUT_OF_MEMORY;
    }
  }

  const World& world_;
  Engine engine_;
  ClearSettings settings_;
  AuctionSettings auction_;
};

/// An engine in C. Its commands allocate nothing but what the library does.
class Handle {
 public:
  /// In `memory`, or in memory of its own.
  explicit Handle(const World& world, std::vector<unsigned char>* memory = nullptr)
      : world_(world),
        numbers_(4 * kMost + 4 * kClaims, kUntouched),
        quantities_(2 * kClaims, 2.0),
        quotes_(4 * kClaims) {
    const kpm_market market = test::c_market(world.first);
    if (memory == nullptr) {
      CHECK(kpm_engine_create(&market, 0, &engine_) == KPM_OK);
      return;
    }
    const kpm_limits limits{sizeof limits, 2 * kStates, kClaims, kMost, 0, 0, kPriors};
    memory->resize(kpm_engine_size(&limits));
    CHECK(kpm_engine_init(memory->data(), memory->size(), &limits, &market, &engine_) == KPM_OK);
  }
  ~Handle() { kpm_engine_free(engine_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  std::int32_t add(const BookOrder& order) {
    return kpm_engine_add(engine_, order.id, order.claim, order.side, order.price, order.quantity);
  }
  std::int32_t cancel(std::int64_t id) { return kpm_engine_cancel(engine_, id); }
  std::int32_t reduce(std::int64_t id, double quantity) {
    return kpm_engine_reduce(engine_, id, quantity);
  }
  std::int32_t replace(std::int64_t id, double price, double quantity) {
    return kpm_engine_replace(engine_, id, price, quantity);
  }
  std::int32_t cancel_all() { return kpm_engine_cancel_all(engine_); }
  std::int32_t set_market() {
    const kpm_market market = test::c_market(world_.larger);
    return kpm_engine_set_market(engine_, &market);
  }
  std::int32_t set_maker() {
    kpm_maker maker{};
    maker.struct_size = sizeof maker;
    maker.kind = KPM_POLYTOPE;
    maker.states = kStates;
    maker.priors = world_.priors.data();
    maker.prior_count = kPriors;
    maker.risk_aversion = 0.2;
    const std::int32_t code = kpm_engine_set_maker(engine_, &maker, nullptr);
    knightian_ = knightian_ && code != KPM_OK;
    return code;
  }
  std::int32_t restore(const std::vector<std::uint8_t>& bytes) {
    return kpm_engine_restore(engine_, bytes.data(), bytes.size());
  }
  std::int32_t list() {
    return kpm_engine_orders(engine_, nullptr, nullptr, nullptr, nullptr, nullptr);
  }
  std::int32_t clear(std::int32_t rule) { return clear(rule, kpm_engine_clear); }
  std::int32_t indicative(std::int32_t rule) { return clear(rule, kpm_engine_indicative); }

  /// Of blocks: written if all is well, and only then.
  std::int32_t quote() {
    std::fill(quotes_.begin(), quotes_.end(), kUntouched);
    double* const bid = quotes_.data();
    const std::int32_t code =
        kpm_engine_quote(engine_, quantities_.data(), 2, bid, bid + 2 * kClaims);
    CHECK(std::count(quotes_.begin(), quotes_.end(), kUntouched) ==
          (code == KPM_OK ? 0 : 4 * kClaims));
    return code;
  }

  Picture picture() {
    CHECK(clear(knightian_ ? KPM_MAKER_OPTIMAL : KPM_COMPETITIVE) == KPM_OK);
    Picture all{kpm_engine_state_hash(engine_)};
    put(all, numbers_);
    put(all, &result_.certainty_equivalent, 1);
    put(all, &result_.upper_bound, 1);
    const auto count = static_cast<std::size_t>(kpm_engine_order_count(engine_));
    std::vector<std::int64_t> id(count), claim(count);
    std::vector<std::int8_t> side(count);
    std::vector<double> price(count), quantity(count);
    CHECK(kpm_engine_orders(engine_, id.data(), claim.data(), side.data(), price.data(),
                            quantity.data()) == KPM_OK);
    put(all, id);
    put(all, claim);
    put(all, side);
    put(all, price);
    put(all, quantity);
    return all;
  }

  const kpm_engine* handle() const { return engine_; }

  static constexpr int kMost = 60;  // orders

 private:
  static constexpr double kUntouched = -77.0;

  /// Into arrays that a clearing which fails does not touch.
  template <class Function>
  std::int32_t clear(std::int32_t rule, Function* function) {
    std::fill(numbers_.begin(), numbers_.end(), kUntouched);
    result_ = {};
    result_.struct_size = sizeof result_;
    double* to = numbers_.data();
    for (double** const array :
         {&result_.state_prices, &result_.payoff, &result_.worst_case, &result_.fills}) {
      *array = to;
      to += kMost;
    }
    for (double** const array :
         {&result_.claim_prices, &result_.net_demand, &result_.multipliers}) {
      *array = to;
      to += kClaims;
    }
    kpm_settings settings;
    kpm_settings_init(&settings, sizeof settings);
    settings.rule = rule;
    const std::int32_t code = function(engine_, &settings, &result_);
    if (code != KPM_OK) {
      CHECK(std::count(numbers_.begin(), numbers_.end(), kUntouched) ==
            static_cast<std::ptrdiff_t>(numbers_.size()));
      CHECK(result_.certainty_equivalent == 0.0 && result_.scale == 0.0);
    }
    return code;
  }

  const World& world_;
  std::vector<double> numbers_, quantities_, quotes_;
  kpm_result result_{};
  kpm_engine* engine_ = nullptr;
  bool knightian_ = true;
};

/// A book of the first `orders` orders, changed since it was cleared: some staircases are old.
template <class AnEngine>
void begin(AnEngine& engine, const World& world, std::int64_t orders) {
  for (std::int64_t id = 0; id < orders; ++id) {
    CHECK(engine.add(world.orders[static_cast<std::size_t>(id)]) == KPM_OK);
  }
  CHECK(engine.clear(KPM_MAKER_OPTIMAL) == KPM_OK);
  for (std::int64_t id = 0; id < orders; id += 4) {
    CHECK(engine.reduce(id, 0.05) == KPM_OK);
  }
}

/// What comes after: each of the commands, whatever the book is.
template <class AnEngine>
void go_on(AnEngine& engine, const World& world) {
  for (const BookOrder& order : world.orders) {
    BookOrder another = order;
    another.id += 20;
    engine.add(another);
    if (order.id % 3 == 0) {
      engine.cancel(order.id);
    } else if (order.id % 3 == 1) {
      engine.replace(order.id, 0.9 * order.price, order.quantity);
    } else {
      engine.reduce(order.id, 0.0);
    }
  }
}

/// A command of an engine. `works`: it never runs out of the memory that its caller provides.
template <class AnEngine>
struct Command {
  std::int32_t (*run)(AnEngine&, const World&);
  bool works;
};

constexpr double kNewPrice = 0.7071067811865476;

/// `events` of one order; the rest of them take the whole book.
template <class AnEngine>
std::vector<Command<AnEngine>> commands(bool events) {
  using E = AnEngine;
  using W = const World;
  if (events) {
    return {{[](E& e, W&) { return e.add({-5, 0, 1, kNewPrice, 3.0}); }, true},
            {[](E& e, W&) { return e.add({-5, 0, 1, kNewPrice, 0.0}); }, true},
            {[](E& e, W& w) { return e.add({-5, w.orders[0].claim, -1, w.orders[0].price, 7.0}); },
             true},
            {[](E& e, W&) { return e.replace(1, kNewPrice, 5.0); }, true},
            {[](E& e, W& w) { return e.replace(1, w.orders[1].price, 1000.0); }, true},
            {[](E& e, W&) { return e.reduce(1, 0.0); }, true},
            {[](E& e, W&) { return e.reduce(1, 0.01); }, true},
            {[](E& e, W&) { return e.cancel(1); }, true}};
  }
  return {{[](E& e, W&) { return e.cancel_all(); }, true},
          {[](E& e, W&) { return e.set_market(); }, true},
          {[](E& e, W&) { return e.set_maker(); }, true},
          {[](E& e, W& w) { return e.restore(w.saved); }, true},
          {[](E& e, W& w) { return e.restore(w.foreign); }, false},  // its message
          {[](E& e, W&) { return e.list(); }, true},
          {[](E& e, W&) { return e.clear(KPM_MAKER_OPTIMAL); }, false},
          {[](E& e, W&) { return e.indicative(KPM_MAKER_OPTIMAL); }, false},
          {[](E& e, W&) { return e.clear(KPM_COMPETITIVE); }, false},
          {[](E& e, W&) { return e.indicative(KPM_PAY_AS_BID); }, false}};
}

/// Runs a command in engines whose memory runs out in it, here or there: `starved(engine, turn)`
/// runs it so and says whether the turns go on. Compared with an engine whose memory did not.
/// Returns how often it ran out.
template <class Make, class Run, class Starved>
int check_command(const World& world, Make&& make, Run&& run, Starved&& starved) {
  const auto twin = make();
  const Picture before = make()->picture();
  const std::int32_t expected = run(*twin);
  const Picture after = twin->picture();
  go_on(*twin, world);
  const Picture end = twin->picture();
  int failures = 0;
  for (int turn = 0;; ++turn) {
    const auto engine = make();
    const auto [code, more] = starved(*engine, turn);
    if (code == KPM_OUT_OF_MEMORY) {
      ++failures;
      CHECK(engine->picture() == before);
      CHECK(run(*engine) == expected);
    } else {
      CHECK(code == expected);
    }
    CHECK(engine->picture() == after);
    go_on(*engine, world);
    CHECK(engine->picture() == end);
    if (!more) {
      return failures;
    }
  }
}

/// Of an engine that grows: the first allocation fails, the second, and so on; by itself, and with
/// all that follow.
template <class AnEngine, class Run>
int check_growing(const World& world, std::int64_t orders, Run&& run) {
  const auto make = [&] {
    auto engine = std::make_unique<AnEngine>(world);
    begin(*engine, world, orders);
    return engine;
  };
  int failures = 0;
  for (const bool later_too : {false, true}) {
    failures += check_command(world, make, run, [&](AnEngine& engine, int turn) {
      test::fail_allocation(turn + 1, later_too);
      const std::int32_t code = run(engine);
      return std::pair{code, test::stop_failing() > 0};
    });
  }
  return failures;
}

template <class AnEngine>
void check_all_growing(const World& world) {
  int failures = 0;
  // Books at whose size one structure or another grows by the next order.
  for (const std::int64_t orders : {0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32}) {
    for (const auto& command : commands<AnEngine>(true)) {
      failures += check_growing<AnEngine>(
          world, orders, [&](AnEngine& engine) { return command.run(engine, world); });
    }
  }
  CHECK(failures > 50);
  failures = 0;
  for (const auto& command : commands<AnEngine>(false)) {
    failures += check_growing<AnEngine>(
        world, 9, [&](AnEngine& engine) { return command.run(engine, world); });
  }
  CHECK(failures > 500);
}

}  // namespace

TEST(a_command_in_cpp_that_runs_out_of_memory_changes_nothing) {
  if (!test::kCounts) {
    SKIP(test::kCountsNot);
  }
  check_all_growing<Direct>(World());
}

TEST(a_command_in_c_that_runs_out_of_memory_changes_nothing) {
  if (!test::kCounts) {
    SKIP(test::kCountsNot);
  }
  const World world;
  check_all_growing<Handle>(world);
  CHECK(check_growing<Handle>(world, 9, [](Handle& engine) { return engine.quote(); }) > 0);
}

TEST(only_clearings_quotes_and_messages_run_out_of_their_caller_s_memory) {
  if (!test::kOwnAllocator) {
    SKIP(test::kNoOwnAllocator);
  }
  const World world;
  std::vector<Command<Handle>> all = commands<Handle>(true);
  const std::vector<Command<Handle>> others = commands<Handle>(false);
  all.insert(all.end(), others.begin(), others.end());
  all.push_back({[](Handle& engine, const World&) { return engine.quote(); }, false});
  for (const auto& command : all) {
    std::vector<std::unique_ptr<std::vector<unsigned char>>> memory;
    const auto make = [&] {
      memory.push_back(std::make_unique<std::vector<unsigned char>>());
      auto engine = std::make_unique<Handle>(world, memory.back().get());
      begin(*engine, world, 9);
      return engine;
    };
    const auto run = [&](Handle& engine) { return command.run(engine, world); };
    const int failures = check_command(world, make, run, [&](Handle& engine, int turn) {
      const std::size_t left = turn < 8 ? 0 : std::size_t{1} << static_cast<unsigned>(turn / 2);
      const test::Starved starved(engine.handle(), left);
      const std::int32_t code = run(engine);
      return std::pair{code, turn < 40};
    });
    CHECK((failures == 0) == command.works);
  }
}

}  // namespace kpm
