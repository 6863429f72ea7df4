// What fills tiles: a source of codes that are copied, or of values that are rounded here.
#pragma once

#include <cstdint>
#include <memory>

#include "pack/plan.h"
#include "pack/row_order.h"
#include "pack/tile.h"

namespace marlin {

// What all sources look at; outlives them.
struct PackJob {
    const PackRequest &request;
    const PackPlan &plan; // its shape: exact
    const Geometry &geometry;
    const RowOrder &order;

    Grid grid() const { return grid_of(geometry.shape.zero_type); }
    int64_t groups_in_tile() const { return geometry.groups_in_run == 0 ? 1 : geometry.groups_in_run; }
    // Rows of a tile that share parameters.
    int64_t rows_of_group() const { return geometry.run_k / groups_in_tile(); }
    // First packed group of a run.
    int64_t first_group(int64_t run) const { return run * geometry.groups_in_run; }
};

class TileSource {
public:
    virtual ~TileSource() = default;
    // Fails if any data of the column cannot be packed. Writes nothing but the tile.
    virtual void check(int64_t column, Tile &tile) const = 0;
    // Codes and parameters of one run of a column, 2:4 positions where the layout has them; padding included.
    virtual void fill(int64_t column, int64_t run, Tile &tile) const = 0;
};

std::unique_ptr<TileSource> make_code_source(const PackJob &job);
std::unique_ptr<TileSource> make_value_source(const PackJob &job);
// The one of the two that the job's plan says.
std::unique_ptr<TileSource> make_source(const PackJob &job);

// Sets code, scale and zero of padding rows, features and groups.
void fill_padding(const PackJob &job, int64_t run, Tile &tile);

// Chooses the kept rows of every quad of the tile from tile.value; padding rows count as zero.
void select_kept(const PackJob &job, Tile &tile);
// Status::NotSparse with the first quad that has more than two nonzero values, if any.
void check_pattern(const Tile &tile);

} // namespace marlin
