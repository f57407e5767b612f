//! Sparse matrices as rows of `(column, value)`, in any column order.

use alloc::{vec, vec::Vec};

use crate::fixed::I32F32;

pub type SparseRow = Vec<(u16, I32F32)>;
pub type Sparse = Vec<SparseRow>;

/// Reads a vector that may be short.
pub fn at<T: Copy + Default>(values: &[T], index: usize) -> T {
    values.get(index).copied().unwrap_or_default()
}

/// Sums every row.
pub fn row_sums(matrix: &[SparseRow]) -> Vec<I32F32> {
    matrix
        .iter()
        .map(|row| row.iter().map(|(_, value)| value).sum())
        .collect()
}

/// Divides every row by its sum; rows that sum to zero stay.
pub fn normalize_rows(matrix: &mut [SparseRow]) {
    for row in matrix {
        let sum: I32F32 = row.iter().map(|(_, value)| value).sum();
        if sum > I32F32::ZERO {
            row.iter_mut().for_each(|(_, value)| *value = value.div(sum));
        }
    }
}

/// Combines every column into one value.
fn fold_columns(matrix: &[SparseRow], columns: usize, join: fn(I32F32, I32F32) -> I32F32) -> Vec<I32F32> {
    let mut result = vec![I32F32::ZERO; columns];
    for (column, value) in matrix.iter().flatten() {
        if let Some(cell) = result.get_mut(usize::from(*column)) {
            *cell = join(*cell, *value);
        }
    }
    result
}

/// Divides every column by its entry in `divisors`; columns with a zero there stay.
fn divide_columns(matrix: &mut [SparseRow], divisors: &[I32F32]) {
    for (column, value) in matrix.iter_mut().flatten() {
        let divisor = at(divisors, usize::from(*column));
        if divisor != I32F32::ZERO {
            *value = value.div(divisor);
        }
    }
}

/// Divides every column by its sum.
pub fn normalize_columns(matrix: &mut [SparseRow], columns: usize) {
    let sums = fold_columns(matrix, columns, I32F32::add);
    divide_columns(matrix, &sums);
}

/// Divides every column by its largest value.
pub fn max_upscale_columns(matrix: &mut [SparseRow], columns: usize) {
    let largest = fold_columns(matrix, columns, Ord::max);
    divide_columns(matrix, &largest);
}

/// Multiplies every row by its entry in `factors`: `r_ij = m_ij * f_i`.
pub fn scale_rows(matrix: &[SparseRow], factors: &[I32F32]) -> Sparse {
    let scaled = |(row, factor): (&SparseRow, &I32F32)| {
        row.iter()
            .map(|(column, value)| (*column, value.mul(*factor)))
            .collect()
    };
    matrix.iter().zip(factors).map(scaled).collect()
}

/// Computes `r_j = sum_i f_i * m_ij`.
pub fn weighted_column_sums(matrix: &[SparseRow], factors: &[I32F32], columns: usize) -> Vec<I32F32> {
    let mut result = vec![I32F32::ZERO; columns];
    for (row, factor) in matrix.iter().zip(factors) {
        for (column, value) in row {
            if let Some(cell) = result.get_mut(usize::from(*column)) {
                *cell = cell.add(value.mul(*factor));
            }
        }
    }
    result
}

/// Computes `r_i = sum_j m_ij * f_j`.
pub fn weighted_row_sums(matrix: &[SparseRow], factors: &[I32F32]) -> Vec<I32F32> {
    let weighted = |row: &SparseRow| {
        row.iter()
            .map(|(column, value)| value.mul(at(factors, usize::from(*column))))
            .sum()
    };
    matrix.iter().map(weighted).collect()
}

/// Computes `r_i = sum_j colnorm(m)_ij * f_j`, where colnorm divides every column by its sum.
pub fn weighted_shares(matrix: &[SparseRow], factors: &[I32F32]) -> Vec<I32F32> {
    let sums = fold_columns(matrix, factors.len(), I32F32::add);
    let weighted = |row: &SparseRow| {
        let share = |(column, value): &(u16, I32F32)| match at(&sums, usize::from(*column)) {
            I32F32::ZERO => *value,
            sum => value.div(sum),
        };
        row.iter()
            .map(|entry| share(entry).mul(at(factors, usize::from(entry.0))))
            .sum()
    };
    matrix.iter().map(weighted).collect()
}

/// Writes a row into a scratch vector of zeros; the last of equal columns wins.
pub fn fill(scratch: &mut [I32F32], row: &[(u16, I32F32)]) {
    for (column, value) in row {
        if let Some(cell) = scratch.get_mut(usize::from(*column)) {
            *cell = *value;
        }
    }
}

/// Keeps the positive entries of a dense row.
pub fn positive_entries(dense: &[I32F32]) -> SparseRow {
    let entries = dense
        .iter()
        .zip(0u16..=u16::MAX)
        .filter(|(value, _)| **value > I32F32::ZERO);
    collect_up_to(dense.len(), entries.map(|(value, column)| (column, *value)))
}

/// Collects at most `length` items with one allocation; each costs the runtime a call of its host.
pub fn collect_up_to<T>(length: usize, items: impl Iterator<Item = T>) -> Vec<T> {
    let mut result = Vec::with_capacity(length);
    result.extend(items.take(length));
    result
}
