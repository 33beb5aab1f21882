// Many books at once, for Python: columns in, columns out.
#include "batch.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "auction.hpp"
#include "counts.hpp"
#include "interpreter_lock.hpp"
#include "kpm/batch.hpp"
#include "maker_model.hpp"
#include "signal_watch.hpp"
#include "stop_flag.hpp"

namespace kpm {

namespace {

constexpr py::ssize_t kFigures = 7;  // see _core.pyi
constexpr std::int8_t kNotReached = -1;
constexpr std::int8_t kRefused = -2;

/// Writes answers to columns. Books share no rows, so threads never write the same memory.
class Columns : public BatchSink {
 public:
  Columns(const std::vector<Book>& books, const std::int64_t* first, std::int64_t orders)
      : first_(first), status_(size(books)), values_({size(books), kFigures}), fills_(orders) {
    claim_first_.reserve(books.size() + 1);
    state_first_.reserve(books.size() + 1);
    std::int64_t claims = 0;
    std::int64_t states = 0;
    for (const Book& book : books) {
      claim_first_.push_back(claims);
      state_first_.push_back(states);
      claims += book.market.claims;
      states += book.market.states;
    }
    claim_first_.push_back(claims);
    state_first_.push_back(states);
    claim_prices_ = py::array_t<double>(claims);
    state_prices_ = py::array_t<double>(states);
    payoff_ = py::array_t<double>(states);
    constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
    for (auto* const column : {&values_, &fills_, &claim_prices_, &state_prices_, &payoff_}) {
      std::fill_n(column->mutable_data(), column->size(), kNothing);
    }
    std::fill_n(status_.mutable_data(), status_.size(), kNotReached);
    // The threads that write hold no interpreter and cannot ask for an address.
    status_at_ = status_.mutable_data();
    values_at_ = values_.mutable_data();
    fills_at_ = fills_.mutable_data();
    claim_prices_at_ = claim_prices_.mutable_data();
    state_prices_at_ = state_prices_.mutable_data();
    payoff_at_ = payoff_.mutable_data();
  }

  void cleared(std::int64_t book, const Clearing& clearing, double objective,
               double gain) override {
    const auto at = static_cast<std::size_t>(book);
    status_at_[book] = static_cast<std::int8_t>(clearing.status);
    double* const values = values_at_ + kFigures * book;
    values[0] = clearing.certainty_equivalent;
    values[1] = clearing.no_trade_equivalent + 0.0;  // no -0
    values[2] = objective;
    values[3] = clearing.upper_bound;
    values[4] = clearing.revenue;
    values[5] = clearing.scale;
    values[6] = gain;
    const auto copy = [](const std::vector<double>& from, double* to) {
      copy_plain(from.data(), static_cast<py::ssize_t>(from.size()), to);
    };
    copy(clearing.fills, fills_at_ + first_[book]);
    copy(clearing.claim_prices, claim_prices_at_ + claim_first_[at]);
    copy(clearing.state_prices, state_prices_at_ + state_first_[at]);
    copy(clearing.payoff, payoff_at_ + state_first_[at]);
  }

  void refused(std::int64_t book, const Fault& fault) override {
    status_at_[book] = kRefused;
    const std::lock_guard<std::mutex> lock(mutex_);
    faults_.emplace_back(book, fault);
  }

  /// Whether a stop left books without their best clearing.
  bool is_cut() const {
    constexpr auto kStopped = static_cast<std::int8_t>(Status::kInterrupted);
    return std::any_of(status_at_, status_at_ + status_.size(), [](std::int8_t status) {
      return status == kNotReached || status == kStopped;
    });
  }

  py::dict to_dict() {
    std::sort(faults_.begin(), faults_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    py::list faults;
    for (const auto& [book, fault] : faults_) {
      faults.append(py::make_tuple(book, py::make_tuple(name_of(fault.field), rule_of(fault),
                                                        fault.index, fault.state, fault.value)));
    }
    py::dict result;
    result["status"] = frozen(std::move(status_));
    result["values"] = frozen(std::move(values_));
    result["fills"] = frozen(std::move(fills_));
    result["claim_prices"] = frozen(std::move(claim_prices_));
    result["state_prices"] = frozen(std::move(state_prices_));
    result["payoff"] = frozen(std::move(payoff_));
    result["claim_first"] = to_array(claim_first_);
    result["state_first"] = to_array(state_first_);
    result["faults"] = faults;
    return result;
  }

 private:
  static py::ssize_t size(const std::vector<Book>& books) {
    return static_cast<py::ssize_t>(books.size());
  }

  const std::int64_t* first_;
  py::array_t<std::int8_t> status_;
  py::array_t<double> values_, fills_, claim_prices_, state_prices_, payoff_;
  std::int8_t* status_at_ = nullptr;
  double* values_at_ = nullptr;
  double* fills_at_ = nullptr;
  double* claim_prices_at_ = nullptr;
  double* state_prices_at_ = nullptr;
  double* payoff_at_ = nullptr;
  std::vector<std::int64_t> claim_first_, state_first_;
  std::mutex mutex_;
  std::vector<std::pair<std::int64_t, Fault>> faults_;
};

py::dict clear_books(const py::list& markets, const In<std::int64_t>& market_of,
                     const In<std::int64_t>& first, const In<std::int64_t>& claim,
                     const In<std::int8_t>& side, const In<double>& price,
                     const In<double>& quantity, const std::optional<In<double>>& time,
                     const ClearSettings& clear, const std::string& rule, const StopFlag* stop) {
  std::vector<GivenMaker> known;
  known.reserve(markets.size());
  for (const py::handle& entry : markets) {
    const auto parts = py::reinterpret_borrow<py::tuple>(entry);
    known.push_back(borrow_market(parts[0].cast<py::dict>(), parts[1].cast<In<double>>(),
                                  parts[2].cast<In<double>>()));
  }
  const auto given = static_cast<std::int64_t>(known.size());
  const std::int64_t* const of = market_of.data();
  const std::int64_t* const begin = entries_of(first, market_of.shape(0) + 1, Field::kOrders);
  const Orders all = borrow_orders(claim, side, price, quantity, time);
  std::vector<Book> books(static_cast<std::size_t>(market_of.shape(0)));
  for (std::size_t b = 0; b < books.size(); ++b) {
    if (of[b] < 0 || of[b] >= given || begin[b] < 0 || begin[b + 1] > all.count) {
      throw py::index_error("a book names no market or no orders of those given");
    }
    const GivenMaker& of_book = known[static_cast<std::size_t>(of[b])];
    books[b].market = of_book.market;
    books[b].maker = &of_book.maker;
    Orders& orders = books[b].orders;
    orders.count = begin[b + 1] - begin[b];
    orders.claim = all.claim + begin[b];
    orders.side = all.side + begin[b];
    orders.price = all.price + begin[b];
    orders.quantity = all.quantity + begin[b];
    orders.time = all.time != nullptr ? all.time + begin[b] : nullptr;
  }
  BatchSettings settings;
  settings.threads = clear.threads;
  settings.clear = clear;
  if (rule != "maker_optimal") {
    settings.rule = convex_rule(rule);
  }
  Columns columns(books, begin, all.count);
  SignalWatch watch;
  {
    Unlocked unlocked;
    settings.interrupted = [&] {
      if (stop != nullptr && stop->raised()) {
        return true;
      }
      const Unlocked::Relocked lock(unlocked);
      return watch.interrupted();
    };
    clear_many(books.data(), static_cast<std::int64_t>(books.size()), settings, columns);
  }
  watch.rethrow();
  watch.pass_on(columns.is_cut() ? Status::kInterrupted : Status::kOptimal);
  return columns.to_dict();
}

}  // namespace

void add_batch(py::module_& module) {
  using py::arg;
  module.def("clear_many", &clear_books, arg("markets"), arg("market_of").noconvert(),
             arg("first").noconvert(), arg("claim").noconvert(), arg("side").noconvert(),
             arg("price").noconvert(), arg("quantity").noconvert(), arg("time").none(true),
             arg("settings"), arg("rule"), arg("stop").none(true));
}

}  // namespace kpm
