#include "search/enumeration/cell_search.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "cell/cell_solver.hpp"
#include "numerics/tolerances.hpp"
#include "prices/reachable_prices.hpp"
#include "search/enumeration/lagrangian_bound.hpp"
#include "search/start_cells.hpp"
#include "search/team.hpp"

namespace kpm {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostTasks = 1 << 18;  // where one claim more would give more, it is not cut
constexpr std::size_t kTasks = 1024;     // prefixes the walk is cut into, at least, if it has them
constexpr std::size_t kFirstRound = 16;  // tasks in the first round; each round doubles ...
constexpr std::size_t kLargestRound = 256;  // ... up to this
constexpr std::size_t kBounds = 4;          // Lagrangian bounds tried at a node
constexpr int kStartCells = 8;              // cells solved before the walk, for the first bound
constexpr double kCellTolerance = 0.01;     // of the search's tolerance, for a single cell
constexpr std::int64_t kVisits = 16;        // nodes between two readings of the clock

struct Task {
  std::vector<int> prefix;
};

/// The findings of a task, or of all of them together.
struct Findings {
  std::vector<Candidate> candidates;
  std::optional<LagrangianBound> bound;  // from the best cell, where it improved the incumbent
  double value = -kInfinity;
  double upper_bound = -kInfinity;
  double pruned_infeasible = 0.0;
  double pruned_bound = 0.0;
  std::int64_t solved = 0;
  std::int64_t iterations = 0;

  void keep(const Candidate& candidate, double tie) {
    if (candidate.value < value - tie) {
      return;
    }
    if (candidate.value > value) {
      value = candidate.value;
      candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                      [&](const Candidate& c) { return c.value < value - tie; }),
                       candidates.end());
    }
    candidates.push_back(candidate);
  }

  void merge(Findings&& other, double tie) {
    for (Candidate& candidate : other.candidates) {
      keep(candidate, tie);
    }
    upper_bound = std::max(upper_bound, other.upper_bound);
    pruned_infeasible += other.pruned_infeasible;
    pruned_bound += other.pruned_bound;
    solved += other.solved;
    iterations += other.iterations;
  }
};

/// One thread's walk. The hot path, a leaf, allocates only when it becomes a candidate.
class Walker {
 public:
  Walker(const CellGrid& grid, const EnumerationSettings& settings)
      : grid_(grid),
        settings_(settings),
        checkpoint_(*settings.token),
        prices_(grid.market, arena_, &checkpoint_),
        solver_(grid.market, arena_, &checkpoint_),
        hull_(grid.claims(), 2 * grid.claims(), arena_),
        cell_(static_cast<std::size_t>(grid.claims()), 0),
        scores_(kBounds + 1) {}

  /// Solve a cell, note it in `findings`.
  void solve(const std::vector<int>& cell, Findings& findings) {
    set_cell(hull_, grid_.corners, cell);
    CellSolver::Settings cell_settings;
    cell_settings.tolerance = kCellTolerance * settings_.tolerance;
    solver_.solve(hull_, cell_settings);
    ++findings.solved;
    findings.iterations += solver_.iterations();
    const CellOptimum& optimum = solver_.optimum();
    const double bound = optimum.bound;
    findings.upper_bound = std::max(findings.upper_bound, std::isfinite(bound) ? bound : kInfinity);
    const bool reached = optimum.primal_residual <= kPriceTolerance;
    const double value = reached ? optimum.objective : -kInfinity;
    if (reached && value >= std::max(findings.value, incumbent_) - settings_.tie) {
      if (value > std::max(findings.value, incumbent_)) {
        findings.bound.emplace(grid_, optimum, cell);
      }
      findings.keep({value, cell, nullptr}, settings_.tie);
    }
  }

  const CellOptimum& optimum() const { return solver_.optimum(); }

  /// Tasks: prefixes, in order, of the least length that gives enough of them, unless the next
  /// claim has so many pieces that it would give too many.
  std::vector<Task> cut(const std::vector<LagrangianBound>& bounds, double incumbent,
                        Findings& findings) {
    bounds_ = &bounds;
    incumbent_ = incumbent;
    std::vector<Task> tasks{Task{}};
    for (int level = 0; level < grid_.claims() && tasks.size() < kTasks; ++level) {
      const int pieces = grid_.pieces(level);
      if (level > 0 && tasks.size() * static_cast<std::size_t>(pieces) > kMostTasks) {
        break;
      }
      std::vector<Task> longer;
      for (const Task& task : tasks) {
        open(task);
        for (int piece = 0; piece < pieces; ++piece) {
          if (enter(level, piece, findings)) {
            longer.push_back(task);
            longer.back().prefix.push_back(piece);
          }
        }
      }
      tasks = std::move(longer);
    }
    return tasks;
  }

  template <class Poll>
  Findings run(const Task& task, const std::vector<LagrangianBound>& bounds, double incumbent,
               Poll&& poll) {
    bounds_ = &bounds;
    incumbent_ = incumbent;
    Findings findings;
    try {
      open(task);
      descend(static_cast<int>(task.prefix.size()), findings, poll);
    } catch (const Abandoned&) {
      return findings;  // what was found before it was abandoned still counts
    }
    return findings;
  }

 private:
  void open(const Task& task) {
    prices_.reset();
    for (auto& score : scores_) {
      score.assign(static_cast<std::size_t>(grid_.claims()) + 1, 0.0);
    }
    for (std::size_t level = 0; level < task.prefix.size(); ++level) {
      const int piece = task.prefix[level];
      cell_[level] = piece;
      score(static_cast<int>(level), piece);
      enter_prices(static_cast<int>(level), piece);
    }
  }

  /// False if no state prices reach the pieces so far.
  bool enter_prices(int level, int piece) {
    const Piece range = grid_.corners[static_cast<std::size_t>(level)].piece(piece);
    return prices_.enter(level, range.price_low, range.price_high);
  }

  void score(int level, int piece) {
    const auto at = static_cast<std::size_t>(level);
    for (std::size_t b = 0; b < bounds_->size(); ++b) {
      scores_[b][at + 1] = scores_[b][at] + (*bounds_)[b].score(level, piece);
    }
  }

  /// Extend the prefix by a piece: false, and its cells counted, if none of them is worth visiting.
  bool enter(int level, int piece, Findings& findings) {
    const auto at = static_cast<std::size_t>(level);
    cell_[at] = piece;
    if (settings_.prune_bound) {
      score(level, piece);
      const double threshold = std::max(incumbent_, findings.value) - settings_.tie;
      for (std::size_t b = 0; b < bounds_->size(); ++b) {
        if ((*bounds_)[b].bound(level + 1, scores_[b][at + 1]) < threshold) {
          findings.pruned_bound += grid_.cells_below(level + 1);
          return false;
        }
      }
    }
    if (!enter_prices(level, piece)) {
      findings.pruned_infeasible += grid_.cells_below(level + 1);
      return false;
    }
    return true;
  }

  template <class Poll>
  bool descend(int level, Findings& findings, Poll& poll) {
    if (poll()) {
      return false;
    }
    if (level == grid_.claims()) {
      solve(cell_, findings);
      return true;
    }
    for (int piece = 0; piece < grid_.pieces(level); ++piece) {
      if (enter(level, piece, findings) && !descend(level + 1, findings, poll)) {
        return false;
      }
    }
    return true;
  }

  const CellGrid& grid_;
  const EnumerationSettings& settings_;
  Checkpoint checkpoint_;
  Arena arena_;
  ReachablePrices prices_;
  CellSolver solver_;
  Hull hull_;
  std::vector<int> cell_;
  std::vector<std::vector<double>> scores_;  // (bounds)(level + 1) of the current prefix
  const std::vector<LagrangianBound>* bounds_ = nullptr;
  double incumbent_ = -kInfinity;
};

/// The search as a whole: start cells, tasks, rounds.
class CellSearch {
 public:
  CellSearch(const CellGrid& grid, const EnumerationSettings& settings)
      : grid_(grid),
        settings_(settings),
        token_(*settings.token),
        begin_(Clock::now()),
        reporter_(settings, begin_ + Reporter::kInterval) {}

  SearchResult run() {
    const Searching counted;
    Walker first(grid_, settings_);
    std::vector<Task> tasks;
    try {
      start(first);
      if (!token_.stopped()) {
        total_.solved = 0;  // the walk meets the start cells again
        total_.upper_bound = -kInfinity;
        tasks = first.cut(bounds_, total_.value, total_);
      }
    } catch (const Abandoned&) {
      tasks.clear();
    }
    std::size_t done = 0;
    std::size_t round = kFirstRound;
    while (done < tasks.size() && !token_.stopped()) {
      const std::size_t end = std::min(tasks.size(), done + round);
      run_round(first, tasks, done, end);
      done = end;
      round = std::min(2 * round, kLargestRound);
    }
    return result();
  }

 private:
  /// A first incumbent, feasible by construction.
  void start(Walker& walker) {
    visit_start_cells(grid_.market, grid_.corners, kStartCells, [&](const std::vector<int>& cell) {
      Findings found;
      walker.solve(cell, found);
      take(std::move(found));
      reporter_.report([this] { return progress(); }, true);
      return token_.stopped() ? nullptr : &walker.optimum().marginal_state_prices;
    });
  }

  void take(Findings&& found) {
    const bool better = found.bound && found.value > total_.value;
    if (better) {
      if (bounds_.size() == kBounds) {
        bounds_.erase(bounds_.begin());
      }
      bounds_.push_back(std::move(*found.bound));
    }
    total_.merge(std::move(found), settings_.tie);
  }

  void run_round(Walker& first, const std::vector<Task>& tasks, std::size_t begin,
                 std::size_t end) {
    std::vector<Findings> found(end - begin);
    std::atomic<std::size_t> next{begin};
    const double incumbent = total_.value;
    const auto work = [&](Walker& walker, auto&& poll) {
      while (!token_.stopped()) {
        const std::size_t task = next.fetch_add(1);
        if (task >= end) {
          return;
        }
        found[task - begin] = walker.run(tasks[task], bounds_, incumbent, poll);
      }
    };
    const auto follow = [&] { return token_.stopped(); };
    const auto ask = [this] { reporter_.report([this] { return progress(); }); };
    std::int64_t visited = 0;
    const auto lead = [&] {
      if (++visited % kVisits == 0) {
        ask();
      }
      return token_.stopped();
    };

    const int others = helpers(settings_.threads, begin_, settings_.thread_delay);
    while (static_cast<int>(others_.size()) < others) {
      others_.push_back(std::make_unique<Walker>(grid_, settings_));
    }
    const int team = run_team(
        others, true,
        [&](int member) {
          if (member == 0) {
            work(first, lead);
          } else {
            work(*others_[static_cast<std::size_t>(member) - 1], follow);
          }
        },
        ask, [&] { token_.stop(); });
    threads_ = std::max(threads_, team);
    for (Findings& findings : found) {
      take(std::move(findings));
    }
  }

  Progress progress() const {
    Progress progress;
    progress.cells = grid_.cells_below(0);
    progress.pruned_infeasible = total_.pruned_infeasible;
    progress.pruned_bound = total_.pruned_bound;
    progress.solved = total_.solved;
    progress.certainty_equivalent = total_.value;
    for (const LagrangianBound& bound : bounds_) {
      progress.upper_bound = std::min(progress.upper_bound, bound.bound(0, 0.0));
    }
    return progress;
  }

  SearchResult result() {
    SearchResult result;
    const bool stopped = token_.stopped();
    result.status = stopped ? Status::kInterrupted : Status::kOptimal;
    result.value = total_.value;
    result.progress = progress();
    // A finished walk has solved, or bounded below the best, every cell there is.
    result.upper_bound =
        stopped ? result.progress.upper_bound : std::max(total_.value, total_.upper_bound);
    result.iterations = total_.iterations;
    result.threads = threads_;
    result.candidates = std::move(total_.candidates);
    std::sort(result.candidates.begin(), result.candidates.end(),
              [](const Candidate& a, const Candidate& b) { return a.cell < b.cell; });
    result.candidates.erase(
        std::unique(result.candidates.begin(), result.candidates.end(),
                    [](const Candidate& a, const Candidate& b) { return a.cell == b.cell; }),
        result.candidates.end());
    return result;
  }

  const CellGrid& grid_;
  const EnumerationSettings& settings_;
  Findings total_;
  std::vector<LagrangianBound> bounds_;
  std::vector<std::unique_ptr<Walker>> others_;
  StopToken& token_;
  Clock::time_point begin_;
  Reporter reporter_;
  int threads_ = 1;
};

}  // namespace

SearchResult search_cells(const CellGrid& grid, const EnumerationSettings& settings) {
  return CellSearch(grid, settings).run();
}

}  // namespace kpm
