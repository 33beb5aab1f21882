#include "book/canonical_order.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "book/maker_weights.hpp"
#include "book/own_maker.hpp"

namespace kpm {

namespace {

// The most payoffs that are read to break ties one by one: some milliseconds, in which no limit is
// polled. Before that, classes are split for as long, and as long again as it takes to read every
// payoff so many times.
constexpr std::ptrdiff_t kMostWork = 1 << 20;
constexpr std::ptrdiff_t kReadings = 8;

constexpr std::ptrdiff_t kSmall = 16;

/// Claims, or states, in an ordered partition into classes.
class Classes {
 public:
  explicit Classes(int size) : size_(size), order_(2 * at(size), 0) {
    std::iota(order_.begin(), order_.begin() + size, 0);
    count_ = std::min(size, 1);
  }

  /// Its members, class by class.
  struct Order {
    const int *first, *last;
    const int* begin() const { return first; }
    const int* end() const { return last; }
  };
  Order order() const { return {order_.data(), order_.data() + size_}; }
  int size() const { return size_; }
  bool all_apart() const { return count_ == size(); }
  bool alike(int a, int b) const { return class_of(a) == class_of(b); }

  /// Where the members of one class that start at a position end.
  int end_of_class(int begin) const {
    int end = begin + 1;
    while (end < size() && alike(member(end), member(begin))) {
      ++end;
    }
    return end;
  }

  /// Where the first class of several members begins.
  int first_tied() const {
    int begin = 0;
    while (end_of_class(begin) == begin + 1) {
      ++begin;
    }
    return begin;
  }

  bool tied(int a) const {
    const int begin = class_of(a);
    return begin + 1 < size() && alike(member(begin + 1), a);
  }

  /// Sort each class, and split it where neighbours differ. Returns whether any was split.
  template <class Less>
  bool split(Less&& less) {
    const int before = count_;
    for (int begin = 0; begin < size();) {
      const int end = end_of_class(begin);
      if (end - begin > 1) {
        sort(order_.begin() + begin, order_.begin() + end, less);
        for (int n = begin + 1, start = begin; n < end; ++n) {
          if (less(member(n - 1), member(n))) {
            start = n;
            ++count_;
          }
          class_of(member(n)) = start;
        }
      }
      begin = end;
    }
    return count_ > before;
  }

  /// Make a member the first of its class, and the rest a class of their own.
  void put_first(int a) {
    const int begin = class_of(a);
    const int end = end_of_class(begin);
    const auto from = order_.begin() + begin;
    std::rotate(from, std::find(from, order_.begin() + end, a),
                std::find(from, order_.begin() + end, a) + 1);
    for (int n = begin + 1; n < end; ++n) {
      class_of(member(n)) = begin + 1;
    }
    ++count_;
  }

  /// Make each member of the class that begins at a position a class of its own, in this order.
  void put_apart(int begin) {
    const int end = end_of_class(begin);
    for (int n = begin + 1; n < end; ++n) {
      class_of(member(n)) = n;
    }
    count_ += end - begin - 1;
  }

  int member(int position) const { return order_[at(position)]; }
  std::vector<int> take_order() {
    order_.resize(at(size_));
    return std::move(order_);
  }

 private:
  using Place = std::vector<int>::iterator;

  /// Stable. Most classes are so small that insertion is the fastest, and needs no memory.
  template <class Less>
  static void sort(Place begin, Place end, Less& less) {
    if (end - begin > kSmall) {
      std::stable_sort(begin, end, less);
      return;
    }
    for (Place next = begin + 1; next < end; ++next) {
      const int moved = *next;
      Place to = next;
      for (; to != begin && less(moved, to[-1]); --to) {
        *to = to[-1];
      }
      *to = moved;
    }
  }

  static std::size_t at(int n) { return static_cast<std::size_t>(n); }

  int& class_of(int a) { return order_[at(size_ + a)]; }
  int class_of(int a) const { return order_[at(size_ + a)]; }

  int size_;
  // In one array: the members, class by class; of each, the position at which its class begins.
  std::vector<int> order_;
  int count_ = 0;
};

/// Whether a staircase comes before another.
bool precedes(const Staircase& a, const Staircase& b) {
  for (const auto figure : {&Staircase::price_min, &Staircase::price_max, &Staircase::volume}) {
    if (a.*figure != b.*figure) {
      return a.*figure < b.*figure;
    }
  }
  if (a.limit.size() != b.limit.size()) {
    return a.limit.size() < b.limit.size();
  }
  // Orders that trade at every price are part of what is sold on the lowest flat and bought on the
  // highest.
  for (const auto figures : {&Staircase::limit, &Staircase::buy, &Staircase::sell,
                             &Staircase::bought, &Staircase::sold}) {
    const Figures& of_a = a.*figures;
    const Figures& of_b = b.*figures;
    for (std::size_t l = 0; l < of_a.size(); ++l) {
      if (of_a[l] != of_b[l]) {
        return of_a[l] < of_b[l];
      }
    }
  }
  return false;
}

class Ordering {
 public:
  /// `payoffs`: of the market's claims and, in rows below, of others that nobody trades. `weight`
  /// (states): of the maker's, or null.
  Ordering(const double* payoffs, int rows, const Market& market, const double* weight,
           const std::vector<Staircase>& stairs)
      : payoffs_(payoffs), claims_(rows), states_(market.states) {
    claims_.split([&](int a, int b) {
      if (a >= market.claims || b >= market.claims) {
        return a < market.claims && b >= market.claims;
      }
      return precedes(stairs[static_cast<std::size_t>(a)], stairs[static_cast<std::size_t>(b)]);
    });
    states_.split([&](int a, int b) {
      return weight != nullptr && weight[a] != weight[b]
                 ? weight[a] < weight[b]
                 : market.inventory[a] < market.inventory[b];
    });
    most_work_ = kMostWork + kReadings * claims_.size() * states_.size();
    refine();
    if (work_ < most_work_) {
      most_work_ = work_ + kMostWork;
    }
  }

  CanonicalOrder complete() {
    tell_apart([](Ordering& ordering, int begin) { return ordering.least(begin); });
    return {claims_.take_order(), states_.take_order(), {}};
  }

 private:
  bool all_apart() const { return claims_.all_apart() && states_.all_apart(); }
  bool of_claims() const { return !claims_.all_apart(); }
  Classes& tied_kind() { return of_claims() ? claims_ : states_; }

  double payoff(int claim, int state) const {
    return payoffs_[static_cast<std::ptrdiff_t>(claim) * states_.size() + state];
  }

  void put_first(int member) {
    tied_kind().put_first(member);
    refine();
  }

  void refine() {
    bool split = true;
    while (split && !all_apart() && work_ < most_work_) {
      split = split_by(states_, claims_, [this](int i, int k) { return payoff(k, i); });
      split |= split_by(claims_, states_, [this](int k, int i) { return payoff(k, i); });
    }
  }

  /// Split classes by their members' sorted payoffs with each class of the other kind.
  template <class Payoff>
  bool split_by(Classes& classes, const Classes& others, Payoff&& payoff_of) {
    if (classes.all_apart()) {
      return false;
    }
    work_ += static_cast<std::ptrdiff_t>(classes.size()) * others.size();
    if (others.all_apart()) {
      return classes.split([&](int a, int b) {
        for (const int other : others.order()) {
          if (payoff_of(a, other) != payoff_of(b, other)) {
            return payoff_of(a, other) < payoff_of(b, other);
          }
        }
        return false;
      });
    }
    const auto row = [&](int a) { return keys_.begin() + std::ptrdiff_t{a} * others.size(); };
    keys_.resize(static_cast<std::size_t>(classes.size()) *
                 static_cast<std::size_t>(others.size()));
    for (const int a : classes.order()) {
      if (!classes.tied(a)) {
        continue;
      }
      for (int begin = 0; begin < others.size();) {
        const int end = others.end_of_class(begin);
        for (int n = begin; n < end; ++n) {
          row(a)[n] = payoff_of(a, others.member(n));
        }
        std::sort(row(a) + begin, row(a) + end);
        begin = end;
      }
    }
    return classes.split([&](int a, int b) {
      return std::lexicographical_compare(row(a), row(a) + others.size(), row(b),
                                          row(b) + others.size());
    });
  }

  /// Whether the first member of a class can change places with each of the others and leave the
  /// book as it was, at most two members of the other kind changing places with it. That is what
  /// most symmetries are made of; it may be false where there is a symmetry of another kind.
  bool interchangeable(int begin) const {
    return of_claims() ? interchangeable(claims_, states_, begin,
                                         [this](int k, int i) { return payoff(k, i); })
                       : interchangeable(states_, claims_, begin,
                                         [this](int i, int k) { return payoff(k, i); });
  }

  template <class Payoff>
  bool interchangeable(const Classes& classes, const Classes& others, int begin,
                       Payoff&& payoff_of) const {
    const int a = classes.member(begin);
    const int end = classes.end_of_class(begin);  // found member by member
    for (int n = begin + 1; n < end; ++n) {
      const int b = classes.member(n);
      int differing[2] = {-1, -1};
      int count = 0;
      for (int other = 0; other < others.size(); ++other) {
        if (payoff_of(a, other) != payoff_of(b, other)) {
          if (count == 2) {
            return false;
          }
          differing[count++] = other;
        }
      }
      if (count == 0) {
        continue;
      }
      const auto [i, j] = differing;
      if (count == 1 || !others.alike(i, j) || payoff_of(a, i) != payoff_of(b, j) ||
          payoff_of(a, j) != payoff_of(b, i)) {
        return false;
      }
      for (int rest = 0; rest < classes.size(); ++rest) {
        if (rest != a && rest != b && payoff_of(rest, i) != payoff_of(rest, j)) {
          return false;
        }
      }
    }
    return true;
  }

  /// Put a member of a tied class first, refine, and repeat until no class is tied. Where the first
  /// member can change places with each other one, so can any two: they may stand in any order.
  template <class Choose>
  void tell_apart(Choose&& choose) {
    while (!all_apart() && work_ < most_work_) {
      const int begin = tied_kind().first_tied();
      if (interchangeable(begin)) {
        tied_kind().put_apart(begin);
        refine();
      } else {
        put_first(choose(*this, begin));
      }
    }
  }

  /// The payoffs in this order.
  std::vector<double> matrix() {
    std::vector<double> rows;
    rows.reserve(static_cast<std::size_t>(claims_.size()) *
                 static_cast<std::size_t>(states_.size()));
    for (const int k : claims_.order()) {
      for (const int i : states_.order()) {
        rows.push_back(payoff(k, i));
      }
    }
    work_ += static_cast<std::ptrdiff_t>(rows.size());
    return rows;
  }

  /// Invariant under renaming: the classes' sizes, and what each class pays in each other.
  std::vector<double> signature() {
    std::vector<double> figures;
    for (const Classes* classes : {&states_, &claims_}) {
      for (int begin = 0; begin < classes->size(); begin = classes->end_of_class(begin)) {
        figures.push_back(begin);
      }
    }
    for (int at = 0; at < claims_.size(); at = claims_.end_of_class(at)) {
      for (int begin = 0; begin < states_.size();) {
        const int end = states_.end_of_class(begin);
        const std::size_t first = figures.size();
        for (int n = begin; n < end; ++n) {
          figures.push_back(payoff(claims_.member(at), states_.member(n)));
        }
        std::sort(figures.begin() + static_cast<std::ptrdiff_t>(first), figures.end());
        begin = end;
      }
    }
    work_ += static_cast<std::ptrdiff_t>(figures.size());
    return figures;
  }

  /// The members of a class that lead to the least signature, if they are put first.
  std::vector<int> promising(int begin) {
    std::vector<int> members;
    std::vector<double> least;
    const int end = tied_kind().end_of_class(begin);
    for (int n = begin; n < end && (members.empty() || work_ < most_work_); ++n) {
      Ordering trial = *this;
      trial.put_first(tied_kind().member(n));
      std::vector<double> figures = trial.signature();
      work_ = trial.work_;
      if (members.empty() || figures < least) {
        members.clear();
        least = std::move(figures);
      } else if (figures != least) {
        continue;
      }
      members.push_back(tied_kind().member(n));
    }
    return members;
  }

  /// The member of a class that leads to the least payoffs, if it is put first.
  int least(int begin) {
    int best = -1;
    std::vector<double> least;
    const std::vector<int> candidates = promising(begin);
    for (const int candidate : candidates) {
      if (candidates.size() == 1 || work_ >= most_work_) {
        break;
      }
      Ordering trial = *this;
      trial.put_first(candidate);
      if (best >= 0) {
        // One way to the same payoffs shows a symmetry that takes one member to the other.
        Ordering any = trial;
        any.tell_apart([](Ordering& ordering, int at) { return ordering.promising(at).front(); });
        const bool symmetric = any.matrix() == least;
        work_ = trial.work_ = any.work_;
        if (symmetric) {
          continue;
        }
      }
      trial.tell_apart([](Ordering& ordering, int at) { return ordering.least(at); });
      std::vector<double> payoffs = trial.matrix();
      work_ = trial.work_;
      if (best < 0 || payoffs < least) {
        best = candidate;
        least = std::move(payoffs);
      }
    }
    return best >= 0 ? best : candidates.front();
  }

  const double* payoffs_;
  Classes claims_, states_;
  std::vector<double> keys_;
  std::ptrdiff_t work_ = 0;
  std::ptrdiff_t most_work_ = 0;
};

}  // namespace

CanonicalOrder canonical_order(const Market& market, const MakerModel& maker,
                               const std::vector<Staircase>& stairs) {
  const MakerWeights weights = weights_of(maker);
  if (maker.kind != MakerKind::kPolytope) {
    return Ordering(market.payoffs, market.claims, market, weights.first, stairs).complete();
  }
  const auto size = static_cast<std::size_t>(market.states);
  const auto claims = static_cast<std::size_t>(market.claims);
  std::vector<double> rows(market.payoffs, market.payoffs + claims * size);
  rows.insert(rows.end(), weights.first,
              weights.first + static_cast<std::size_t>(weights.rows) * size);
  CanonicalOrder order =
      Ordering(rows.data(), market.claims + weights.rows, market, nullptr, stairs).complete();
  const auto behind = order.claims.begin() + market.claims;
  order.vertices.assign(behind, order.claims.end());
  order.claims.erase(behind, order.claims.end());
  for (int& vertex : order.vertices) {
    vertex -= market.claims;
  }
  return order;
}

CanonicalBook::CanonicalBook(const Market& market, std::vector<Staircase> stairs)
    : CanonicalBook(market, maker_of(market), std::move(stairs)) {}

CanonicalBook::CanonicalBook(const Market& market, const MakerModel& maker,
                             std::vector<Staircase> stairs)
    : order_(canonical_order(market, maker, stairs)),
      market_(market),
      maker_(maker),
      places_(stairs.size()) {
  const MakerWeights weights = weights_of(maker);
  const auto rows = static_cast<std::size_t>(weights.rows) + 1 + stairs.size();
  const std::size_t states = order_.states.size();
  stairs_.reserve(stairs.size());
  memory_.resize(rows * states);
  double* next = memory_.data();
  const auto take = [&](const double* first, int row) {
    double* const taken = next;
    const double* const from = first + static_cast<std::ptrdiff_t>(row) * market.states;
    for (std::size_t n = 0; n < states; ++n) {
      taken[n] = from[order_.states[n]];
    }
    next += states;
    return taken;
  };
  set_weights(maker_, next);
  for (int row = 0; row < weights.rows; ++row) {
    take(weights.first,
         order_.vertices.empty() ? row : order_.vertices[static_cast<std::size_t>(row)]);
  }
  market_.prior = maker.kind == MakerKind::kKnightian ? maker_.prior : nullptr;
  market_.inventory = take(market.inventory, 0);
  market_.payoffs = next;
  for (const int k : order_.claims) {
    const auto at = static_cast<std::size_t>(k);
    places_[at] = static_cast<int>(stairs_.size());
    stairs_.push_back(std::move(stairs[at]));
    take(market.payoffs, k);
  }
}

std::vector<Staircase> CanonicalBook::release_stairs() {
  std::vector<Staircase> released;
  released.reserve(stairs_.size());
  for (const int place : places_) {
    released.push_back(std::move(stairs_[static_cast<std::size_t>(place)]));
  }
  stairs_.clear();
  return released;
}

}  // namespace kpm
