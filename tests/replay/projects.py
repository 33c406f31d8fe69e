"""Scenarios of a firm whose won opportunities become projects."""

from typing import Any

from temporalio.client import WorkflowHandle

from tests.projects import engaged
from tests.workflows.office import Office

Handle = WorkflowHandle[Any, Any]


async def project_opened(office: Office) -> Handle:
    """A project is opened; the answer is lost, and it is found after the wait."""
    firm = await engaged(office)
    won = await firm.win()
    office.firm.books_fault(fault="commit_then_cut", times=1, method="POST", path="/project$")
    await firm.sync(won)
    return firm.workflow(won)


async def project_shown(office: Office) -> Handle:
    """Hours are logged on a project, and shown on the opportunity."""
    firm = await engaged(office)
    won = await firm.win()
    await firm.sync(won)
    await firm.log(2, firm.projects()[0])
    await firm.sync(won)
    return firm.workflow(won)


async def project_asked(office: Office) -> Handle:
    """FreshBooks refuses the project; one of the same title is there then, and a person wants a second."""
    firm = await engaged(office)
    won = await firm.win()
    office.firm.books_fault(fault="status", status=422, times=1, method="POST", path="/project$")
    await firm.announce(won)
    await firm.hold(won, "rejected")
    await firm.timesheet.new_project(max(each["id"] for each in office.firm.clients()), title="Website rebuild")
    await firm.resolve(won, "retry")
    await firm.hold(won, "duplicate-found")
    await firm.resolve(won, "approve")
    await firm.result(won)
    return firm.workflow(won)


async def project_deleted(office: Office) -> Handle:
    """A person deletes the project, and another leaves it at that."""
    firm = await engaged(office)
    won = await firm.win()
    await firm.sync(won)
    await firm.delete_project(firm.projects()[0]["id"])
    await firm.announce(won)
    await firm.hold(won, "conflict")
    await firm.resolve(won, "skip")
    await firm.result(won)
    return firm.workflow(won)


async def project_not_due(office: Office) -> Handle:
    """An opportunity that is still open has no project."""
    firm = await engaged(office)
    record = await firm.pipeline.enter("proposal")
    await firm.sync(record)
    return firm.workflow(record)


async def project_sweep(office: Office) -> Handle:
    """An opportunity was won since the last sweep, and hours were logged on the project of another."""
    firm = await engaged(office)
    await firm.sweep()
    earlier = await firm.win()
    await firm.sync(earlier)
    await firm.log(2, firm.projects()[0])
    await firm.win()
    return await firm.start_sweep()


PROJECTS = (project_opened, project_shown, project_asked, project_deleted, project_not_due, project_sweep)
