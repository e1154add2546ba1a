//! Questions about some people only: members of a segment, contacts that meet conditions.

use std::collections::BTreeSet;

use tributary_control::{Condition, WorkspaceAccess};
use tributary_core::error::Result;
use tributary_events::field::Field;
use tributary_events::filter::{Filter, Test};
use tributary_events::question::Slice;
use tributary_events::traits::Trait;

use crate::service::Service;

/// The trait by which people are restricted to those asked about.
const MEMBERS: &str = "member";
/// Its value for all of them.
const IS_MEMBER: &str = "true";

impl Service {
    /// Restricts a slice to a segment's members and to the contacts that meet conditions.
    pub(crate) async fn restrict(
        &self,
        access: &WorkspaceAccess,
        segment_id: Option<i64>,
        conditions: &[Condition],
        slice: &mut Slice,
    ) -> Result<()> {
        let by_conditions = match conditions {
            [] => None,
            conditions => {
                let found = self.control.visitors_where(&access.scope, conditions).await?;
                Some(found.into_iter().map(|(_, visitor)| visitor).collect::<Vec<String>>())
            }
        };
        let by_segment = match segment_id {
            None => None,
            Some(id) => Some(self.segment_visitors(access, id).await?),
        };
        let members = match (by_conditions, by_segment) {
            (None, None) => return Ok(()),
            (Some(members), None) | (None, Some(members)) => members,
            (Some(some), Some(others)) => {
                let others: BTreeSet<String> = others.into_iter().collect();
                some.into_iter().filter(|visitor| others.contains(visitor)).collect()
            }
        };
        slice.traits.push(Trait::new(MEMBERS, members.into_iter().map(|visitor| (visitor, String::from(IS_MEMBER))))?);
        slice.filters.push(Filter { field: Field::Trait(String::from(MEMBERS)), test: Test::Present });
        Ok(())
    }
}
