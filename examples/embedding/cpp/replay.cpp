// Sends order events to an engine and clears its book after each batch: how long a clearing takes.
//
//     c++ -std=c++17 replay.cpp -o replay $(python -m kpm_fast --cflags --libs) && ./replay ../../race_card
#include <kpm/kpm.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using Row = std::vector<std::string>;

// A table without its first row.
std::vector<Row> read_table(const std::string& path) {
  std::ifstream file(path);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream cells(line);
    Row row;
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
    rows.push_back(row);
  }
  if (rows.size() < 2) throw std::runtime_error(path + ": no such table, or an empty one");
  rows.erase(rows.begin());
  return rows;
}

void check(std::int32_t code) {
  if (code == KPM_OK) return;
  kpm_error error{};
  error.struct_size = sizeof error;
  kpm_last_error(&error);
  throw std::runtime_error(error.message);
}

int main(int argc, char** argv) try {
  constexpr int kEvents = 100000, kBatch = 100;
  const std::string folder = argc > 1 ? argv[1] : "../../race_card";
  std::vector<double> prior, payoffs, price, quantity;
  std::map<std::string, std::int64_t> claims;
  std::vector<std::int64_t> claim;
  std::vector<std::int8_t> side;
  for (const Row& row : read_table(folder + "/states.csv")) prior.push_back(std::stod(row.at(1)));
  const double sum = std::accumulate(prior.begin(), prior.end(), 0.0);  // a table has rounded them
  for (double& q : prior) q /= sum;
  for (const Row& row : read_table(folder + "/claims.csv")) {
    claims.emplace(row.at(0), static_cast<std::int64_t>(claims.size()));
    for (std::size_t i = 0; i < prior.size(); ++i) payoffs.push_back(std::stod(row.at(1 + i)));
  }
  for (const Row& row : read_table(folder + "/orders.csv")) {
    claim.push_back(claims.at(row.at(1)));
    side.push_back(row.at(2) == "buy" ? 1 : -1);
    price.push_back(std::stod(row.at(3)));
    quantity.push_back(std::stod(row.at(4)));
  }
  const std::vector<double> inventory(prior.size());
  std::vector<double> fills(quantity.size());
  kpm_market market{};
  market.struct_size = sizeof market;
  market.states = static_cast<std::int32_t>(prior.size());
  market.claims = static_cast<std::int32_t>(claims.size());
  market.payoffs = payoffs.data();
  market.prior = prior.data();
  market.inventory = inventory.data();
  market.risk_aversion = 0.001;  // market.json of the race card
  market.ambiguity = 0.01;
  const auto count = static_cast<std::int64_t>(quantity.size());
  kpm_engine* made = nullptr;
  check(kpm_engine_create(&market, count, &made));
  const std::unique_ptr<kpm_engine, decltype(&kpm_engine_free)> owner(made, kpm_engine_free);
  kpm_engine* const engine = owner.get();
  for (std::int64_t id = 0; id < count; ++id) {
    const auto j = static_cast<std::size_t>(id);
    check(kpm_engine_add(engine, id, claim[j], side[j], price[j], quantity[j]));
  }
  kpm_result result{};
  result.struct_size = sizeof result;
  result.fills = fills.data();

  using Clock = std::chrono::steady_clock;
  using Microseconds = std::chrono::duration<double, std::micro>;
  std::vector<double> microseconds;
  std::mt19937_64 random(1);
  const auto start = Clock::now();
  for (int event = 0; event < kEvents; ++event) {
    // An order is cancelled, comes back with some of its quantity, or moves by a tick.
    const std::size_t j = random() % quantity.size();
    const auto id = static_cast<std::int64_t>(j);
    const double some = quantity[j] * static_cast<double>(1 + random() % 16) / 16.0;
    const bool in_book = kpm_engine_order(engine, id, nullptr, nullptr, nullptr, nullptr) == KPM_OK;
    const std::uint64_t choice = random() % 6;
    check(!in_book      ? kpm_engine_add(engine, id, claim[j], side[j], price[j], some)
          : choice < 3  ? kpm_engine_cancel(engine, id)
                        : kpm_engine_replace(engine, id, price[j] + 0.01 * (static_cast<double>(choice) - 4.0), some));
    if ((event + 1) % kBatch != 0) continue;
    const auto before = Clock::now();
    check(kpm_engine_clear(engine, nullptr, &result));
    microseconds.push_back(Microseconds(Clock::now() - before).count());
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::sort(microseconds.begin(), microseconds.end());
  const auto at = [&](double share) {
    return microseconds[static_cast<std::size_t>(share * static_cast<double>(microseconds.size()))];
  };
  std::printf("C++: %d events, %.0f a second; a clearing of at most %zu orders takes %.1f us (p50), %.1f (p99), %.1f (p99.9)\n",
              kEvents, kEvents / seconds, quantity.size(), at(0.5), at(0.99), at(0.999));
  std::printf("the maker is worth %.6f, at most %.6f\n", result.certainty_equivalent, result.upper_bound);
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
