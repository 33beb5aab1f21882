#include "commands.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "inputs_from_bytes.hpp"
#include "kpm/kpm.h"

namespace kpm::test {

namespace {

constexpr std::int64_t kOrders = 20;  // limits of an engine in its caller's memory
constexpr std::int64_t kLevels = 12;
constexpr std::int64_t kNodes = 64;  // from so many on it may do without a search

void hold(bool holds, const char* what) {
  if (!holds) {
    kpm_error error{};
    error.struct_size = sizeof error;
    kpm_last_error(&error);
    throw std::runtime_error(std::string(what) + "; the last error: " + error.message);
  }
}

struct Order {
  std::int64_t id, claim;
  std::int8_t side;
  double price, quantity;
};

bool is_quantity(double quantity) {
  return quantity == 0.0 || (quantity >= 1e-30 && quantity <= 1e30);
}

class Life {
 public:
  Life(const std::uint8_t* bytes, std::size_t size, bool own_memory)
      : source_(bytes, size),
        claims_(1 + source_.below(3)),
        ids_(source_.below(4) == 0 ? 250 : 24),
        market_(source_, claims_) {
    if (own_memory) {
      const kpm_limits limits{sizeof limits, kMostStates, claims_,    kOrders,
                              kLevels,       kNodes,      kMostPriors};
      memory_.resize(kpm_engine_size(&limits));
      hold(!memory_.empty(), "limits have a size");
      code_ = kpm_engine_init(memory_.data(), memory_.size(), &limits, &market_.market, &engine_);
    } else {
      code_ = kpm_engine_create(&market_.market, source_.below(30), &engine_);
    }
    hold(code_ == KPM_OK ? engine_ != nullptr : code_ == KPM_INVALID_INPUT && engine_ == nullptr,
         "an engine, or an invalid market");
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life() { kpm_engine_free(engine_); }

  Counts run() {
    if (engine_ == nullptr) {
      return {};
    }
    for (; !source_.ended(); ++counts_.commands) {
      command();
    }
    the_book_is_the_list();
    clear();
    counts_.warm = kpm_engine_warm_clearings(engine_);
    return counts_;
  }

 private:
  bool limited() const { return !memory_.empty(); }

  void command() {
    switch (source_.below(32)) {
      case 0:
        return any_order();
      case 1:
        return source_.below(4) != 0 ? any_market() : change_maker();
      case 2:
        return keep_or_go_back();
      case 3:
        return damaged_snapshot();
      case 4:
        return source_.below(8) == 0 ? cancel_all() : quote();
      case 5:
      case 6:
        return clear();
      case 7:
        return nothing_at_all();
      case 8:
        return the_book_is_the_list();
      default:
        return event();
    }
  }

  std::vector<Order>::iterator find(std::int64_t id) {
    return std::find_if(orders_.begin(), orders_.end(),
                        [id](const Order& order) { return order.id == id; });
  }

  bool has_level(std::int64_t claim, double price, std::int64_t without, int& levels) const {
    std::vector<std::pair<std::int64_t, double>> all;
    all.reserve(orders_.size());
    for (const Order& order : orders_) {
      if (order.quantity > 0.0 && order.id != without) {
        all.emplace_back(order.claim, order.price);
      }
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    levels = static_cast<int>(all.size());
    return std::binary_search(all.begin(), all.end(), std::pair{claim, price});
  }
  bool has_room(const Order& order, std::int64_t without) const {
    int levels = 0;
    const bool there = has_level(order.claim, order.price, without, levels);
    return !limited() || order.quantity == 0.0 || there || levels < kLevels;
  }

  /// The engine accepted the command, or refused it as the model does and is unchanged.
  void taken(std::int32_t code, bool valid) {
    hold(code == (valid ? KPM_OK : KPM_INVALID_INPUT), "taken if valid, and refused if not");
    if (code != KPM_OK) {
      ++counts_.refused;
      kpm_error error{};
      error.struct_size = sizeof error;
      hold(kpm_last_error(&error) == KPM_INVALID_INPUT && error.field[0] != '\0' &&
               error.message[0] != '\0',
           "an error names its field");
      the_book_is_the_list();
    }
  }

  void add(const Order& order, std::int32_t side) {
    const bool valid = find(order.id) == orders_.end() && order.claim >= 0 &&
                       order.claim < claims_ && (side == 1 || side == -1) &&
                       !std::isnan(order.price) && is_quantity(order.quantity) &&
                       (!limited() || orders_.size() < kOrders) && has_room(order, order.id);
    taken(kpm_engine_add(engine_, order.id, order.claim, side, order.price, order.quantity), valid);
    if (valid) {
      ++counts_.events;
      orders_.push_back(order);
      orders_.back().side = static_cast<std::int8_t>(side);
    }
  }

  void any_order() {
    const auto claim = static_cast<std::int64_t>(source_.bits());
    const auto side = static_cast<std::int32_t>(source_.bits());
    const auto id = static_cast<std::int64_t>(source_.bits());
    const double price = source_.pick(kPrices);
    add({id, source_.below(2) == 0 ? claim : source_.below(claims_ + 1) - 1,
         static_cast<std::int8_t>(side > 0 ? 1 : -1), price, source_.pick(kQuantities)},
        source_.below(2) == 0 ? side : source_.below(4) - 1);
  }

  void event() {
    const std::int64_t id = source_.below(ids_) - 2;
    const int kind = source_.below(8);
    const double price = source_.pick(kPrices);
    const double quantity = source_.pick(kQuantities);
    const auto at = find(id);
    const bool known = at != orders_.end();
    if (kind < 4) {
      const std::int8_t side = source_.below(2) == 0 ? std::int8_t{1} : std::int8_t{-1};
      add({id, source_.below(claims_), side, price, quantity}, side);
    } else if (kind == 4) {
      taken(kpm_engine_cancel(engine_, id), known);
      if (known) {
        ++counts_.events;
        orders_.erase(at);
      }
    } else if (kind == 5) {
      const bool valid = known && is_quantity(quantity) && quantity <= at->quantity;
      taken(kpm_engine_reduce(engine_, id, quantity), valid);
      if (valid) {
        ++counts_.events;
        at->quantity = quantity;
      }
    } else {
      Order other = known ? *at : Order{};
      const double limit = known && source_.below(2) == 0 ? other.price : price;
      const bool stays = known && limit == other.price && quantity <= other.quantity;
      other.price = limit;
      other.quantity = quantity;
      const bool valid =
          known && !std::isnan(limit) && is_quantity(quantity) && has_room(other, id);
      taken(kpm_engine_replace(engine_, id, limit, quantity), valid);
      counts_.events += valid ? 1 : 0;
      if (valid && stays) {
        *at = other;
      } else if (valid) {
        orders_.erase(at);
        orders_.push_back(other);
      }
    }
  }

  void cancel_all() {
    taken(kpm_engine_cancel_all(engine_), true);
    orders_.clear();
  }

  /// A market with one member that may be anything. A cold clearing says whether it is valid.
  void any_market() {
    MarketArrays other(source_, claims_);
    kpm_market given = other.market;
    other.spoil(given, source_);
    // With a size beyond the struct the library would read memory that is not there.
    if (given.struct_size > sizeof given && given.struct_size <= 4096) {
      given.struct_size = sizeof given;
    }
    kpm_result result{};
    result.struct_size = sizeof result;
    kpm_orders none{};
    none.struct_size = sizeof none;
    kpm_settings settings;
    kpm_settings_init(&settings, sizeof settings);
    settings.rule = other.is_knightian() ? KPM_MAKER_OPTIMAL : KPM_COMPETITIVE;
    const std::int32_t code = kpm_clear(&given, &none, &settings, &result);
    const bool valid = code == KPM_OK && given.claims == claims_;
    taken(kpm_engine_set_market(engine_, &given), valid);
    if (valid) {
      ++counts_.markets;
      market_ = std::move(other);
    }
  }

  /// The maker of another market, for this one.
  void change_maker() {
    MarketArrays other(source_, claims_);
    other.market.states = market_.market.states;
    other.prior.assign(kMostStates, 1.0 / other.market.states);
    other.maker.clear();
    other.make_maker(source_);
    if (source_.below(2) == 0) {
      other.spoil_maker(source_);
    }
    const kpm_maker maker = other.maker[0];
    kpm_market given = market_.market;
    given.maker = &maker;
    const bool moved = source_.below(2) == 0;
    if (moved) {
      given.inventory = other.inventory.data();
    }
    kpm_engine* fresh = nullptr;
    const std::int32_t code = kpm_engine_create(&given, 0, &fresh);
    kpm_engine_free(fresh);
    taken(kpm_engine_set_maker(engine_, &maker, moved ? given.inventory : nullptr), code == KPM_OK);
    if (code == KPM_OK) {
      ++counts_.markets;
      std::swap(other.payoffs, market_.payoffs);
      if (!moved) {
        std::swap(other.inventory, market_.inventory);
      }
      other.market = given;
      other.market.prior = other.prior.data();
      other.market.maker = other.maker.data();
      market_ = std::move(other);
    }
  }

  void quote() {
    const int sizes = source_.below(3);
    const auto count = static_cast<std::size_t>(claims_ * std::max(sizes, 1));
    std::vector<double> quantities;
    quantities.reserve(count);
    for (int entry = 0; entry < claims_ * sizes; ++entry) {
      quantities.push_back(source_.pick(kQuantities));
    }
    std::vector<double> losses(market_.inventory);
    for (double& money : losses) {
      money = -money;
    }
    const kpm_market& market = market_.market;
    const kpm_maker maker = market_.by_itself();
    std::vector<double> bid(count, -7.0), ask(bid), own_bid(bid), own_ask(bid);
    const std::int32_t code = kpm_quote(&maker, losses.data(), market.payoffs, claims_,
                                        quantities.data(), sizes, bid.data(), ask.data());
    hold(
        kpm_engine_quote(engine_, quantities.data(), sizes, own_bid.data(), own_ask.data()) == code,
        "quotes where the maker has some");
    hold(std::memcmp(bid.data(), own_bid.data(), count * sizeof(double)) == 0 &&
             std::memcmp(ask.data(), own_ask.data(), count * sizeof(double)) == 0,
         "the maker's quotes");
  }

  void keep_or_go_back() {
    if (source_.below(2) == 0 || kept_.empty()) {
      kept_.resize(kpm_engine_snapshot_size(engine_));
      hold(kpm_engine_snapshot(engine_, kept_.data(), kept_.size()) == KPM_OK, "a snapshot");
      hold(kpm_engine_snapshot(engine_, kept_.data(), kept_.size() - 1) == KPM_INVALID_INPUT,
           "no snapshot beyond the memory that there is");
      kept_orders_ = orders_;
    } else {
      taken(kpm_engine_restore(engine_, kept_.data(), kept_.size()), true);
      ++counts_.restored;
      orders_ = kept_orders_;
    }
  }

  void damaged_snapshot() {
    std::vector<std::uint8_t> bytes(kpm_engine_snapshot_size(engine_));
    hold(kpm_engine_snapshot(engine_, bytes.data(), bytes.size()) == KPM_OK, "a snapshot");
    const std::size_t at = source_.bits() % bytes.size();
    if (source_.below(2) == 0) {
      taken(kpm_engine_restore(engine_, bytes.data(), at), false);
    } else {
      bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1 + source_.below(255)));
      taken(kpm_engine_restore(engine_, bytes.data(), bytes.size()), false);
    }
  }

  void nothing_at_all() {
    std::int32_t code = KPM_OK;
    switch (source_.below(8)) {
      case 0:
        code = kpm_engine_add(nullptr, 1, 0, 1, 0.5, 1.0);
        break;
      case 1:
        code = kpm_engine_clear(engine_, nullptr, nullptr);
        break;
      case 2:
        code = kpm_engine_restore(engine_, nullptr, 8);
        break;
      case 3:
        code = kpm_engine_snapshot(engine_, nullptr, 1 << 20);
        break;
      case 4:
        code = kpm_engine_set_market(engine_, nullptr);
        break;
      case 5:
        code = kpm_engine_quote(engine_, nullptr, 2, nullptr, nullptr);
        break;
      case 6:
        code = kpm_engine_create(nullptr, 1, nullptr);
        break;
      default:
        code = kpm_engine_init(nullptr, 1 << 20, nullptr, nullptr, nullptr);
    }
    taken(code, false);
    hold(kpm_engine_order_count(nullptr) == 0 && kpm_engine_snapshot_size(nullptr) == 0 &&
             kpm_engine_state_hash(nullptr) == 0 && kpm_engine_size(nullptr) == 0,
         "nothing of nothing");
    kpm_engine_free(nullptr);
  }

  void the_book_is_the_list() {
    const std::size_t count = orders_.size();
    hold(kpm_engine_order_count(engine_) == static_cast<std::int64_t>(count), "as many orders");
    std::vector<std::int64_t> id(count), claim(count);
    std::vector<std::int8_t> side(count);
    std::vector<double> price(count), quantity(count);
    hold(kpm_engine_orders(engine_, id.data(), claim.data(), side.data(), price.data(),
                           quantity.data()) == KPM_OK,
         "the book");
    for (std::size_t row = 0; row < count; ++row) {
      const Order& order = orders_[row];
      hold(id[row] == order.id && claim[row] == order.claim && side[row] == order.side &&
               price[row] == order.price && quantity[row] == order.quantity,
           "the book is the list");
    }
    if (count > 0) {
      const Order& order = orders_[count / 2];
      double limit = 0.0;
      hold(kpm_engine_order(engine_, order.id, nullptr, nullptr, &limit, nullptr) == KPM_OK &&
               limit == order.price,
           "an order by its id");
    }
  }

  /// A new engine with the same book has the same hash.
  void same_hash() {
    kpm_engine* other = nullptr;
    hold(kpm_engine_create(&market_.market, 0, &other) == KPM_OK, "another engine");
    for (const Order& order : orders_) {
      kpm_engine_add(other, order.id, order.claim, order.side, order.price, order.quantity);
    }
    const bool same = kpm_engine_state_hash(other) == kpm_engine_state_hash(engine_);
    kpm_engine_free(other);
    hold(same, "the hash of the same book");
  }

  /// Mostly one that the maker has.
  std::int32_t a_rule() {
    if (source_.below(16) == 0) {
      return source_.below(6) - 1;
    }
    if (market_.is_knightian()) {
      return source_.below(4) == 0 ? 1 + source_.below(2) : KPM_MAKER_OPTIMAL;
    }
    const bool starting = market_.maker[0].kind == KPM_STARTING_ORDERS;
    return 1 + source_.below(starting ? 3 : 2);
  }

  void clear() {
    same_hash();
    constexpr std::array<double, 4> kTolerances{1e-8, 1e-6, 1e-10, 1e-8};
    kpm_settings settings;
    kpm_settings_init(&settings, sizeof settings);
    settings.tolerance = source_.pick(kTolerances);
    settings.rule = a_rule();
    settings.node_limit = 1 + source_.below(8);
    if (settings.rule != KPM_MAKER_OPTIMAL && settings.node_limit < 8) {
      settings.node_limit = 0;
    } else if (settings.node_limit > 4) {
      settings.node_limit = limited() ? kNodes : 0;  // it may do without a search
    }
    settings.cold = source_.below(4) == 0 ? 1 : 0;
    settings.allocation = source_.below(16) == 0 ? source_.below(100) : source_.below(2);
    if (source_.below(64) == 0) {
      settings.time_limit = -1.0;
    }
    const bool with_fills = source_.below(4) != 0;

    std::vector<std::int64_t> claim;
    std::vector<std::int8_t> side;
    std::vector<double> price, quantity;
    for (const Order& order : orders_) {
      claim.push_back(order.claim);
      side.push_back(order.side);
      price.push_back(order.price);
      quantity.push_back(order.quantity);
    }
    const kpm_orders orders{sizeof orders, static_cast<std::int64_t>(orders_.size()),
                            claim.data(),  side.data(),
                            price.data(),  quantity.data(),
                            nullptr};
    Result cold(market_.market, orders_.size());
    Result warm(market_.market, orders_.size());
    const std::int32_t code = kpm_clear(&market_.market, &orders, &settings, &cold.result);
    const std::int64_t warm_before = kpm_engine_warm_clearings(engine_);
    hold((with_fills ? kpm_engine_clear(engine_, &settings, &warm.result)
                     : kpm_engine_indicative(engine_, &settings, &warm.result)) == code,
         "cleared where a cold clearing is");
    hold(warm.same_bits(cold, with_fills), "the bits of a cold clearing");
    hold(warm.result.nodes == cold.result.nodes || kpm_engine_warm_clearings(engine_) > warm_before,
         "a search has the nodes of a cold one");
    counts_.clearings += code == KPM_OK ? 1 : 0;
    hold(with_fills || std::all_of(warm.fills.begin(), warm.fills.end(),
                                   [](double fill) { return fill == -7.0; }),
         "an indicative clearing has no fills");
    the_book_is_the_list();
  }

  Source source_;
  int claims_;
  int ids_;  // that orders may have
  MarketArrays market_;
  std::vector<unsigned char> memory_;
  kpm_engine* engine_ = nullptr;
  std::int32_t code_ = KPM_OK;
  Counts counts_;
  std::vector<Order> orders_, kept_orders_;
  std::vector<std::uint8_t> kept_;
};

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  commands += other.commands;
  refused += other.refused;
  events += other.events;
  markets += other.markets;
  restored += other.restored;
  clearings += other.clearings;
  warm += other.warm;
  return *this;
}

Counts run_commands(const std::uint8_t* bytes, std::size_t size, bool own_memory) {
  return Life(bytes, size, own_memory).run();
}

}  // namespace kpm::test
