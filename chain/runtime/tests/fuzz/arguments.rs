//! Arguments of any call, made from the types that the metadata describes: no list of calls that could be incomplete.

use arbor_runtime::AccountId;
use codec::{Compact, Encode};
use scale_info::{form::PortableForm, Field, PortableRegistry, TypeDef, TypeDefPrimitive};

/// Numbers that are the same on every run.
pub struct Seeded(pub u64);

impl Seeded {
    /// Returns a number below a bound; 0 for the bound 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11).checked_rem(bound).unwrap_or(0)
    }

    /// Picks one of several.
    pub fn pick<'a, V>(&mut self, all: &'a [V]) -> &'a V {
        &all[self.below(all.len() as u64) as usize]
    }
}

/// Makes arguments that are sometimes right, often at an edge, and now and then nonsense.
pub struct Arguments<'a> {
    pub types: &'a PortableRegistry,
    pub random: &'a mut Seeded,
    /// Accounts that stand where an account is asked for.
    pub accounts: &'a [AccountId],
    /// Length of most lists of this call: lists that must be equally long often are.
    pub length: u64,
}

impl Arguments<'_> {
    /// Encodes the fields of one call.
    pub fn fields(&mut self, fields: &[Field<PortableForm>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in fields {
            let name = field.name.as_deref().unwrap_or_default();
            self.write(field.ty.id, name, &mut bytes);
        }
        bytes
    }

    fn write(&mut self, id: u32, name: &str, out: &mut Vec<u8>) {
        let ty = self.types.resolve(id).expect("the registry is whole").clone();
        let named = ty.path.segments.last().map(String::as_str);
        match (named, &ty.type_def) {
            (Some("AccountId32"), _) => self.random.pick(self.accounts).encode_to(out),
            (Some("NetUid"), _) => self.netuid().encode_to(out),
            (Some("MechId"), _) => (*self.random.pick(&[0u8, 0, 0, 1, u8::MAX])).encode_to(out),
            (_, TypeDef::Primitive(TypeDefPrimitive::U16)) if name == "netuid" => {
                self.netuid().encode_to(out)
            }
            (_, TypeDef::Primitive(TypeDefPrimitive::U64)) if self.random.below(5) < 3 => {
                self.fitting(name).encode_to(out)
            }
            (_, TypeDef::Primitive(primitive)) => self.primitive(primitive, out),
            (_, TypeDef::Composite(composite)) => {
                for field in &composite.fields {
                    self.write(field.ty.id, field.name.as_deref().unwrap_or(name), out);
                }
            }
            (_, TypeDef::Variant(variants)) => {
                if variants.variants.is_empty() {
                    return;
                }
                let variant = self.random.pick(&variants.variants).clone();
                out.push(variant.index);
                for field in &variant.fields {
                    self.write(field.ty.id, field.name.as_deref().unwrap_or(name), out);
                }
            }
            (_, TypeDef::Sequence(list)) => self.list(list.type_param.id, name, out),
            (_, TypeDef::Array(array)) => {
                for _ in 0..array.len {
                    self.write(array.type_param.id, name, out);
                }
            }
            (_, TypeDef::Tuple(tuple)) => {
                for field in &tuple.fields {
                    self.write(field.id, name, out);
                }
            }
            (_, TypeDef::Compact(compact)) => self.compact(compact.type_param.id, out),
            (_, TypeDef::BitSequence(_)) => out.push(0),
        }
    }

    fn netuid(&mut self) -> u16 {
        *self.random.pick(&[1, 1, 1, 1, 2, 2, 0, 3, 7, u16::MAX])
    }

    /// Lists of 0, 1, as many as fit, one more, or the call's own length; of numbers, half of them rising.
    fn list(&mut self, id: u32, name: &str, out: &mut Vec<u8>) {
        let length = match self.random.below(12) {
            0 => 0,
            1 => 1,
            2 => *self
                .random
                .pick(&[10, 64, 65, 128, 129, 256, 257, 1_024, 1_025, 5_000, 5_001]),
            _ => self.length,
        };
        // Lists of lists stay small, or one call would be megabytes.
        let nested = matches!(
            self.types.resolve(id).map(|ty| &ty.type_def),
            Some(TypeDef::Sequence(_) | TypeDef::Composite(_) | TypeDef::Tuple(_))
        );
        let length = if nested { length.min(12) } else { length };
        Compact(length as u32).encode_to(out);
        let numbers = matches!(
            self.types.resolve(id).map(|ty| &ty.type_def),
            Some(TypeDef::Primitive(TypeDefPrimitive::U16))
        );
        let rising = numbers && self.random.below(2) == 0;
        for at in 0..length {
            if rising {
                (at as u16).encode_to(out);
            } else {
                self.write(id, name, out);
            }
        }
    }

    fn primitive(&mut self, primitive: &TypeDefPrimitive, out: &mut Vec<u8>) {
        match primitive {
            TypeDefPrimitive::Bool => (self.random.below(2) == 0).encode_to(out),
            TypeDefPrimitive::U8 => (self.number(u8::MAX.into()) as u8).encode_to(out),
            TypeDefPrimitive::U16 => (self.number(u16::MAX.into()) as u16).encode_to(out),
            TypeDefPrimitive::U32 => (self.number(u32::MAX.into()) as u32).encode_to(out),
            TypeDefPrimitive::U64 => self.number(u64::MAX).encode_to(out),
            TypeDefPrimitive::U128 => {
                let number = self.number(u64::MAX);
                let wide = if number == u64::MAX {
                    u128::MAX
                } else {
                    number.into()
                };
                wide.encode_to(out);
            }
            TypeDefPrimitive::I16 => (self.number(u16::MAX.into()) as i16).encode_to(out),
            TypeDefPrimitive::I32 => (self.number(u32::MAX.into()) as i32).encode_to(out),
            TypeDefPrimitive::I64 => (self.number(u64::MAX) as i64).encode_to(out),
            TypeDefPrimitive::I128 => {
                let number = i128::from(self.number(u64::MAX) as i64);
                (*self.random.pick(&[number, number << 32, i128::MIN, i128::MAX])).encode_to(out);
            }
            TypeDefPrimitive::Str => {
                let length = *self.random.pick(&[0, 1, 64, 65, 256]);
                "a".repeat(length).encode_to(out);
            }
            other => panic!("no call had an argument of type {other:?} so far: teach the fuzzer to make one"),
        }
    }

    /// Returns a number that a call may well accept under this name.
    fn fitting(&mut self, name: &str) -> u64 {
        match name {
            "version_key" => 0,
            name if name.contains("limit_price") => *self.random.pick(&[1, u64::MAX, 1_000_000_000]),
            _ => *self
                .random
                .pick(&[2_000_000, 1_000_000_000, 20_000_000_000, 300_000_000_000]),
        }
    }

    /// Returns 0, 1, the greatest, what is right for amounts, ports and tempos, or anything.
    fn number(&mut self, most: u64) -> u64 {
        match self.random.below(10) {
            0 => 0,
            1 => 1,
            2 => most,
            3 => most - 1,
            4 => (1 << 63) & most,
            5 => most.min(
                *self
                    .random
                    .pick(&[1_000_000_000, 100_000_000_000, 5_000_000_000_000, 2_000_000]),
            ),
            6 => self.random.below(most),
            _ => self.random.below(most.min(20)),
        }
    }

    fn compact(&mut self, id: u32, out: &mut Vec<u8>) {
        let mut plain = Vec::new();
        self.write(id, "", &mut plain);
        let mut wide = [0u8; 16];
        for (to, from) in wide.iter_mut().zip(plain) {
            *to = from;
        }
        Compact(u128::from_le_bytes(wide)).encode_to(out);
    }
}
