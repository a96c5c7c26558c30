-- What a step does each time: in one call what would go there and back several times.

-- Enters the company for the transaction, and holds the recipient's row until its end.
create function lock_recipient(of_company uuid, of_recipient uuid) returns setof recipients
language plpgsql as $body$
begin
  perform set_config('app.company_id', of_company::text, true);
  return query select * from recipients r where r.id = of_recipient for update;
end $body$;

-- The last check before a mail goes, in one call and one transaction of its own. It enters the
-- company itself. Locked first, in a statement of its own: the second one then sees what was
-- committed while this one waited. The first draft that is kept wins. What was learnt on the way
-- of the mail that this one follows is kept with it.
create function keep_draft(
  of_company uuid, of_recipient uuid, of_action uuid, of_round int, a_draft text, a_thread text,
  earlier_action uuid, earlier_message_id text
) returns table (draft_id text, thread_id text) language plpgsql as $body$
#variable_conflict use_column
begin
  perform set_config('app.company_id', of_company::text, true);
  perform 1 from recipients
  where id = of_recipient and ended_at is null and paused_at is null for update;
  if not found then return; end if;
  if earlier_message_id is not null then
    update actions set message_id = earlier_message_id
    where id = earlier_action and message_id is null;
  end if;
  return query
    update actions x set draft_id = coalesce(x.draft_id, a_draft),
      thread_id = coalesce(x.thread_id, a_thread), confirmed_at = clock_timestamp()
    from campaigns c, leads l, recipients r
    where x.id = of_action and x.status = 'reserved' and x.round = of_round
      and r.id = x.recipient_id and c.id = r.campaign_id and c.status = 'active'
      and c.deleted_at is null and l.id = r.lead_id
      and not exists (select 1 from suppressions s where s.key_hash = any (l.suppression_keys))
    returning x.draft_id, x.thread_id;
end $body$;
