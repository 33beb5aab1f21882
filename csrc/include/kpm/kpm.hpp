// Public interface of the kpm core: clear a call auction of contingent claims with the
// Knightian pari-mutuel mechanism. Numbers in parentheses are equations of Roh and Ye (2015).
//
// Markets and orders are validated before any work (kpm/validation.hpp, InvalidInput). The caller
// is trusted with the lengths of arrays and the values of settings.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace kpm {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// N states, K claims and the maker's preferences. Arrays are borrowed.
struct Market {
  int states = 0;
  int claims = 0;
  const double* payoffs = nullptr;    ///< (claims, states), row major, money per share
  const double* prior = nullptr;      ///< (states), positive, sums to one
  const double* inventory = nullptr;  ///< (states), money
  double risk_aversion = 1.0;         ///< alpha > 0, per unit of money
  double ambiguity = 0.0;             ///< Omega >= 0 in nats, may be infinite
};

/// J limit orders. Arrays are borrowed.
struct Orders {
  std::int64_t count = 0;
  const std::int64_t* claim = nullptr;
  const std::int8_t* side = nullptr;  ///< +1 buy, -1 sell
  const double* price = nullptr;      ///< limit, may be infinite (a market order)
  const double* quantity = nullptr;   ///< shares, finite, >= 0
  const double* time = nullptr;       ///< priority for Allocation::kTime; null means book order
};

/// How orders of one claim, side and limit share the volume at the clearing price.
enum class Allocation : std::uint8_t { kProRata, kTime };

enum class Status : std::uint8_t {
  kOptimal,
  kTimeLimit,
  kNodeLimit,
  kInterrupted,
  kInaccurate,
  kInfeasible
};

enum class Method : std::uint8_t {
  kBranchAndBound,  ///< over boxes of staircase pieces, with a proof
  kEnumerate        ///< every cell (28)
};

/// One claim's net demand: flats 0, 2, 4, ... (price free) and steps 1, 3, 5, ... (demand free),
/// numbered from the lowest price; the paper's 2 n_k + 1 subsets (13).
struct Piece {
  double price_low, price_high, demand_low, demand_high;
};

/// What the search has done so far; handed to the monitor from the calling thread.
struct Progress {
  double elapsed = 0.0;            ///< seconds
  double cells = 0.0;              ///< in all
  double pruned_infeasible = 0.0;  ///< cells no price vector reaches
  double pruned_bound = 0.0;       ///< cells whose bound lies below the best clearing
  std::int64_t solved = 0;         ///< cells solved by the interior-point method
  std::int64_t nodes = 0;          ///< of the tree, processed
  std::int64_t open = 0;           ///< of the tree, open
  std::int64_t relaxations = 0;    ///< solved by the interior-point method
  std::int64_t columns = 0;        ///< corners added to the relaxations by column generation
  double root_bound = kInfinity;   ///< of the first relaxation
  double certainty_equivalent = -kInfinity;
  double upper_bound = kInfinity;
};

/// Returns true to stop the search.
using Monitor = std::function<bool(const Progress&)>;

struct Polls;  // for the core's own tests

struct ClearSettings {
  Method method = Method::kBranchAndBound;
  double tolerance = 1e-8;        ///< on the certainty equivalent, relative to Clearing::scale
  int threads = 1;                ///< 0: the process's processors that no other clearing works on
  double thread_delay = 2e-3;     ///< seconds of work that one thread does before others join
  double time_limit = kInfinity;  ///< seconds
  std::int64_t node_limit = 0;    ///< of the tree; 0: none
  bool prune_bound = true;        ///< when enumerating
  bool presolve = true;           ///< of the tree: merge equivalent claims
  bool certificate = false;       ///< also return the tree's leaves
  Allocation allocation = Allocation::kProRata;
  Monitor monitor;  ///< may be empty
  /// Polled before the work begins and then every 20 ms or so, by the calling thread: true stops.
  std::function<bool()> interrupted;
  Polls* polls = nullptr;  ///< null except in tests
};

struct CellSettings {
  /// Relative to the notional that can trade in the cell: what is filled for certain, and its
  /// steps; of a step that dwarfs what trades, about as much. To the maker's own money, 1 / risk
  /// aversion or the range of its inventory, where nothing can.
  double tolerance = 1e-9;
  int max_iterations = 100;  ///< each time the cell is solved: more than once beside such steps
};

/// The dual variables at a point: the worst case, the maker's marginal state prices and the
/// multipliers of pi = P xi. By Donsker-Varadhan they bound every clearing of a box.
struct Support {
  std::vector<double> worst_case;             ///< (states) p
  std::vector<double> marginal_state_prices;  ///< (states) g
  std::vector<double> multipliers;            ///< (claims) lambda
  double ambiguity_price = 0.0;               ///< money per nat: -d(certainty equivalent)/d(Omega)
};

struct CellSolution {
  Status status = Status::kInfeasible;
  std::vector<double> state_prices;  ///< (states) xi
  std::vector<double> net_demand;    ///< (claims) y
  double certainty_equivalent = -kInfinity;
  double dual_bound = kInfinity;
  double primal_residual = 0.0;
  double dual_residual = 0.0;
  int iterations = 0;
  Support support;  ///< proves `dual_bound`; of an order that dwarfs what trades, of a part of it
};

/// The leaves of a finished tree, row by row: boxes of staircase pieces that tile the product of
/// the staircases, each with the multipliers that bound every clearing in it. Claims with equal
/// payoffs, and complements, may be merged: the first one's staircase is then the sum of theirs,
/// and the others have none.
struct Certificate {
  std::int64_t leaves = 0;
  std::vector<std::int64_t> merged_into;      ///< (claims) the claim that has its orders, or itself
  std::vector<std::int64_t> first, last;      ///< (leaves, claims) pieces
  std::vector<double> worst_case;             ///< (leaves, states) p, KL(p|q) <= Omega
  std::vector<double> marginal_state_prices;  ///< (leaves, states) g
  std::vector<double> multipliers;            ///< (leaves, claims) lambda
  std::vector<double> bound;  ///< (leaves) money; -inf where no state prices reach the box
};

struct Clearing {
  Status status = Status::kOptimal;
  std::vector<std::int64_t> pieces;  ///< (claims) of each staircase
  std::vector<std::int64_t> cell;    ///< (claims) piece chosen
  std::vector<double> state_prices;  ///< (states)
  std::vector<double> claim_prices;  ///< (claims)
  std::vector<double> net_demand;    ///< (claims)
  std::vector<double> fills;         ///< (orders)
  std::vector<double> payoff;        ///< (states), inventory included
  double revenue = 0.0;
  double certainty_equivalent = -kInfinity;
  double no_trade_equivalent = 0.0;
  double upper_bound = kInfinity;
  /// Money; what tolerances refer to: payoff range times filled quantity, summed over all orders.
  /// Where nothing trades, the floor of docs/reference.md: the smaller half of the book's levels,
  /// at least one.
  double scale = 1.0;
  Support support;
  Certificate certificate;
  Progress progress;
  std::int64_t iterations = 0;
  int threads = 1;
  double seconds_compile = 0.0;
  double seconds_search = 0.0;
  double seconds_select = 0.0;
  double seconds_total = 0.0;
};

/// The staircases (13) of a book, one per claim.
std::vector<std::vector<Piece>> staircases(const Market& market, const Orders& orders);

/// The pieces of each staircase: their product is the number of cells.
std::vector<std::int64_t> count_pieces(const Market& market, const Orders& orders);

/// Solve (27) for one cell, given as the piece of each claim.
CellSolution solve_cell(const Market& market, const Orders& orders, const std::int64_t* cell,
                        const CellSettings& settings);

/// The state prices closest to the prior whose claim prices lie in given ranges.
struct PriorProjection {
  bool reached = false;              ///< whether any state prices have such claim prices
  bool nearest = false;              ///< whether no other such state prices are as near
  std::vector<double> state_prices;  ///< (states)
  double divergence = kInfinity;     ///< KL(state prices | prior), nats
  bool interrupted = false;          ///< nothing else is known then
};

/// Project the prior on the state prices xi with low <= P xi <= high, both of one entry per claim,
/// money per share, possibly infinite. Inventory, risk aversion and ambiguity do not enter. Ends
/// early where `interrupted`, asked about every 20 ms by the calling thread, says so.
PriorProjection project_prior(const Market& market, const double* low, const double* high,
                              const std::function<bool()>& interrupted = nullptr);

/// Clear the book: the state prices and fills that solve (8).
Clearing clear(const Market& market, const Orders& orders, const ClearSettings& settings);

/// How many processors this process may use: those of its affinity, and no more than the CPU quota
/// of its control groups gives it time for, rounded up; at least one. Under a container's quota all
/// processors are still visible, and a process that starts a thread for each has all of them
/// stopped once the quota is used up.
///
/// The system is asked at most every ten seconds, because a query takes as long as a small node.
int available_processors();

}  // namespace kpm
